import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import type { AlertSearch } from './alert-search.ts'

const PAGE = 100

/** Alerts that meet the filter, newest first, a page at a time. */
export function useAlerts(search: AlertSearch) {
  return useInfiniteQuery({
    queryKey: ['alerts', 'list', search],
    queryFn: ({ pageParam, signal }) =>
      call('GET /api/v1/alerts', { query: { ...search, limit: PAGE, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
    // A refresh would read every page again; the page offers it when there is something new.
    staleTime: Number.POSITIVE_INFINITY,
  })
}

export function useAlertCounts(search: AlertSearch) {
  return useQuery({
    queryKey: ['alerts', 'counts', search],
    queryFn: ({ signal }) => call('GET /api/v1/alerts/counts', { query: search, signal }),
    refetchInterval: 10_000,
    placeholderData: (before) => before,
  })
}
