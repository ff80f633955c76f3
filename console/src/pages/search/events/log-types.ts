import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { call } from '../../../api/client.ts'
import { useSession } from '../../../session/session.tsx'
import type { SqlNames } from '../sql/sql-names.ts'

/** The log types that have a table. Whoever may not read schemas sees the names of the tables, which the API takes as well. */
export function useLogTypes(names: SqlNames): string[] {
  const { may } = useSession()
  const schemas = useQuery({
    queryKey: ['schemas', 'names'],
    queryFn: async ({ signal }) => (await call('GET /api/v1/schemas', { signal })).results.map(({ name }) => name),
    enabled: may('content:read'),
    staleTime: 300_000,
    retry: false,
  })
  return useMemo(() => {
    const byTable = new Map(schemas.data?.map((name) => [tableOf(name), name]))
    const tables = Object.keys(names).filter((name) => name.startsWith('logs.') && name !== 'logs.all')
    return tables.map((table) => byTable.get(table) ?? table.slice('logs.'.length)).sort()
  }, [names, schemas.data])
}

/** `Zeek.Conn` → `logs.zeek_conn`. */
export function tableOf(logType: string): string {
  return `logs.${logType.replaceAll('.', '_').toLowerCase()}`
}
