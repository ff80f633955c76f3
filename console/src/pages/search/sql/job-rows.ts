import { useMemo } from 'react'
import { call } from '../../../api/client.ts'
import { PageStore } from '../results/page-store.ts'
import type { ResultColumn, ResultRows } from '../results/result-rows.ts'
import { usePages } from '../results/use-pages.ts'

/** Rows that one call reads. */
const PAGE = 500

/** The rows of a query's result. They are read when they come into view; those last seen are kept. */
export function useJobRows(
  id: string,
  columns: readonly ResultColumn[],
  count: number,
  onError: (error: unknown) => void,
): ResultRows {
  const store = useMemo(() => jobRows(id, count), [id, count])
  const version = usePages(store, onError)
  // biome-ignore lint/correctness/useExhaustiveDependencies(version): the rows are others after a change.
  return useMemo(
    () => ({ columns, count, row: (index) => store.row(index), want: (first, last) => store.want(first, last) }),
    [columns, count, store, version],
  )
}

function jobRows(id: string, count: number): PageStore<readonly unknown[]> {
  return new PageStore({
    count,
    pageSize: PAGE,
    read: ({ first, limit, signal }) =>
      call('GET /api/v1/queries/{id}/rows', { path: { id }, query: { row: first, limit }, signal }),
  })
}
