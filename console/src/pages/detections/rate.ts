import { useQuery } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { useSession } from '../../session/session.tsx'

export const HOURS = 24

/** By when the events were received, not by their own times: an old log that arrives today makes its rules match today. */
const SQL = `SELECT p_rule_id, sumForEach(arrayMap(h -> toUInt64(h = dateDiff('hour', p_parse_time, now())), range(${HOURS})))
FROM signals.correlation_signals WHERE p_parse_time > now() - INTERVAL ${HOURS - 1} HOUR GROUP BY p_rule_id`

/** Matches of each rule in every hour of the last day, oldest first; `undefined` while they are counted, or if they may not be read. */
export function useRates(): ReadonlyMap<string, readonly number[]> | undefined {
  const { may } = useSession()
  const rates = useQuery({
    queryKey: ['rates'],
    enabled: may('events:read'),
    queryFn: async ({ signal }) => {
      const { rows } = await call('POST /api/v1/query', { body: { sql: SQL }, signal })
      return new Map(rows.map(([rule, hours]) => [String(rule), (hours as unknown[]).map(Number).toReversed()]))
    },
    refetchInterval: 60_000,
    retry: false,
  })
  return rates.data
}
