import { expect, test } from 'vitest'
import type { TableStatus } from '../../stages/enrich/keeper-types.ts'
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
  nextRefreshMs: 1,
  periodMinutes: 60,
}

test.each([
  { is: {}, says: [] },
  // A failed refresh alone is no problem while the content is young enough.
  { is: { lastError: 'it answered 503' }, says: [] },
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
