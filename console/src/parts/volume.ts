import { useQuery } from '@tanstack/react-query'
import { call } from '../api/client.ts'
import { useSession } from '../session/session.tsx'

const SQL = `SELECT p_log_type, count() FROM logs.all
WHERE p_event_time >= now() - INTERVAL 1 DAY GROUP BY p_log_type`

/** Events of the last day of each log type; `undefined` while they are counted, and for accounts that may not read events. */
export function useVolumes(): ReadonlyMap<string, number> | undefined {
  const { may } = useSession()
  const volumes = useQuery({
    queryKey: ['volumes'],
    enabled: may('events:read'),
    queryFn: async ({ signal }) => {
      const { rows } = await call('POST /api/v1/query', { body: { sql: SQL }, signal })
      return new Map(rows.map(([logType, events]) => [String(logType), Number(events)]))
    },
    staleTime: 60_000,
    retry: false,
  })
  return volumes.data
}
