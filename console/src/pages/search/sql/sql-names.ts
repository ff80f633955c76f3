import { useQuery } from '@tanstack/react-query'
import { call } from '../../../api/client.ts'

/** Table, `database.name` → columns. */
export type SqlNames = Readonly<Record<string, readonly string[]>>

const SQL = `SELECT concat(table_schema, '.', table_name), groupArray(column_name)
FROM information_schema.columns WHERE table_schema IN ('logs', 'matches', 'signals', 'monitor', 'lookups') GROUP BY 1 ORDER BY 1`

/** What can be completed in a query. */
export function useSqlNames(): SqlNames {
  const names = useQuery({
    queryKey: ['sql-names'],
    queryFn: async ({ signal }) => {
      const { rows } = await call('POST /api/v1/query', { body: { sql: SQL }, signal })
      return Object.fromEntries(rows) as SqlNames
    },
    staleTime: 300_000,
    retry: false,
  })
  return names.data ?? NONE
}

const NONE: SqlNames = {}
