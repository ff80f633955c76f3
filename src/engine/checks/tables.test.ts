import { expect, test } from 'vitest'
import type { TableStatus } from '../../stages/enrich/keeper-types.ts'
import type { LiveStatus } from '../../stages/enrich/live/live-status.ts'
import { tableProblems } from './tables.ts'

const STATUS: TableStatus = {
  name: 'verdicts',
  provider: 'live',
  health: 'ok',
  version: '2026-11-29-0123456789ab',
  rows: 1,
  skipped: 0,
  ageSeconds: 1,
  lastSuccessMs: 1,
  lastFailureMs: undefined,
  lastError: undefined,
  isRefused: false,
  nextRefreshMs: undefined,
  periodMinutes: 1,
}
const LIVE: LiveStatus = {
  service: 'abuseipdb',
  answers: 4,
  askedToday: 1000,
  leftToday: 10,
  waiting: 5,
  passedOver: 0,
  breaker: 'closed',
  isKeyRefused: false,
  lastError: undefined,
}

test.each<[string, Partial<LiveStatus>, string[]]>([
  ['works', {}, []],
  ['has spent its budget, with nothing waiting', { leftToday: 0, waiting: 0 }, []],
  [
    'has spent its budget',
    { leftToday: 0 },
    ['TableBudgetSpent: Table verdicts: its budget of 1000 addresses for this day is spent, and 5 are waiting'],
  ],
  [
    'has a key that is refused',
    { isKeyRefused: true, breaker: 'open', leftToday: 0, lastError: 'https://x does not accept the key (status 401)' },
    ['TableKeyRefused: Table verdicts is no longer filled: https://x does not accept the key (status 401)'],
  ],
  [
    'has a service that fails',
    { breaker: 'half_open', lastError: 'https://x answered 503' },
    ['TableStale: Table verdicts is not filled at the moment: https://x answered 503'],
  ],
])('a live table that %s', (_, live, expected) => {
  const problems = tableProblems([{ ...STATUS, live: { ...LIVE, ...live } }])
  expect(problems.map(({ what, key, message }) => `${what}: ${message}${key === 'verdicts' ? '' : key}`)).toEqual(expected)
})
