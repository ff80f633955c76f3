import { expect, test } from 'vitest'
import type { TableStatus } from '../../stages/enrich/keeper-types.ts'
import type { LiveStatus } from '../../stages/enrich/live/live-status.ts'
import { tableProblems } from './tables.ts'

const OK: TableStatus = {
  name: 'tor',
  provider: 'url',
  health: 'ok',
  version: 'v1',
  rows: 10,
  skipped: 0,
  ageSeconds: 60,
  lastSuccessMs: Date.parse('2024-03-12T00:00:00Z'),
  lastFailureMs: undefined,
  lastError: undefined,
  isRefused: false,
  failures: 0,
  nextRefreshMs: 1,
  periodMinutes: 60,
}

test.each([
  { is: {}, says: [] },
  // Two failed refreshes are no problem while the content is young enough, or while nobody has put it there.
  { is: { failures: 2, lastError: 'it answered 503' }, says: [] },
  { is: { failures: 9, health: 'missing', lastError: 'there is no file' }, says: [] },
  {
    is: { failures: 3, lastError: 'it answered 503' },
    says: ['TableRefreshFailed: Table tor: 3 refreshes in a row failed, most recently because it answered 503'],
  },
  {
    is: { isRefused: true, lastError: 'the content went from 200 rows to 9' },
    says: [
      'TableRefused: Table tor: its content cannot be used, and version v1 stays in force: the content went from 200 rows to 9. If only a check is wrong about it: `caracal tables refresh tor --accept`',
    ],
  },
  {
    is: { isRefused: true, version: undefined, nextRefreshMs: undefined, lastError: 'x.csv: no usable row' },
    says: ['TableRefused: Table tor: its content cannot be used, and nothing is in force: x.csv: no usable row'],
  },
  {
    is: { health: 'stale', lastError: 'it answered 503' },
    says: [
      'TableStale: Table tor is stale: its content, current at 2024-03-12T00:00:00.000Z, is older than its alarm period, since its refresh fails: it answered 503',
    ],
  },
  {
    is: { health: 'stale', lastSuccessMs: undefined },
    says: ['TableStale: Table tor is stale: its content, shipped with its definition, is older than its alarm period'],
  },
  { is: { health: 'failing', lastError: 'it answered 404' }, says: ['TableStale: Table tor has no content: it answered 404'] },
] as const)('a table that is $is reports $says', ({ is, says }) => {
  expect(tableProblems([{ ...OK, ...is }]).map(({ what, message }) => `${what}: ${message}`)).toEqual(says)
})

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
    ['TableBudgetSpent: Table tor: its budget of 1000 addresses for this day is spent, and 5 are waiting'],
  ],
  [
    'has a key that is refused',
    { isKeyRefused: true, breaker: 'open', leftToday: 0, lastError: 'https://x does not accept the key (status 401)' },
    ['TableKeyRefused: Table tor is no longer filled: https://x does not accept the key (status 401)'],
  ],
  [
    'has a service that fails',
    { breaker: 'half_open', lastError: 'https://x answered 503' },
    ['TableStale: Table tor is not filled at the moment: https://x answered 503'],
  ],
])('a live table that %s', (_, live, expected) => {
  const problems = tableProblems([{ ...OK, live: { ...LIVE, ...live } }])
  expect(problems.map(({ what, key, message }) => `${what}: ${message}${key === 'tor' ? '' : key}`)).toEqual(expected)
})
