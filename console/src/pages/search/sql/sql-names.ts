import { type QueryClient, queryOptions, useQuery } from '@tanstack/react-query'
import { call } from '../../../api/client.ts'

/** Table, `database.name` → columns. */
export type SqlNames = Readonly<Record<string, readonly string[]>>

const SQL = `SELECT concat(table_schema, '.', table_name), groupArray(column_name)
FROM information_schema.columns WHERE table_schema IN ('logs', 'matches', 'signals', 'monitor', 'lookups') GROUP BY 1 ORDER BY 1`

const QUERY = queryOptions({
  queryKey: ['sql-names'],
  queryFn: async ({ signal }) => {
    const { rows } = await call('POST /api/v1/query', { body: { sql: SQL }, signal })
    return Object.fromEntries(rows) as SqlNames
  },
  staleTime: 300_000,
  retry: false,
})

const NONE: SqlNames = {}

/** The tables of the lake; none until they are loaded. */
export function useSqlNames(): SqlNames {
  return useQuery(QUERY).data ?? NONE
}

/** The tables of the lake, once they are loaded; none if the server refuses them, and the next call asks it again. */
export async function loadSqlNames(client: QueryClient): Promise<SqlNames> {
  try {
    return await client.ensureQueryData({ ...QUERY, revalidateIfStale: true })
  } catch {
    return NONE
  }
}
