import { expect, test } from 'vitest'
import { compareRun } from '../scripts/lib/compare-run.mjs'

const NOW_MS = Date.parse('2026-11-28T20:00:00Z')
const STUB = `NotImplementedError("'boto3.client' was called: the package 'boto3' is not available to rules, which have no network")`

interface Case {
  readonly name: string
  readonly here: unknown
  readonly golden: unknown
  /** Why it does not count as a difference, or `differs`. */
  readonly says: string
}

const values: readonly Case[] = [
  {
    name: 'a date in an address',
    here: 'https://x.test/?timestamp=2026-11-28&lang=en',
    golden: 'https://x.test/?timestamp=2026-07-01&lang=en',
    says: 'clock at title',
  },
  { name: 'a time', here: 'at 2026-11-28T19:59:58.123456Z', golden: 'at 2026-07-01T10:00:00.5Z', says: 'clock at title' },
  { name: 'seconds', here: NOW_MS / 1000, golden: 1_782_900_000.25, says: 'clock at title' },
  { name: 'milliseconds in a text', here: `${NOW_MS}`, golden: '1782900000000', says: 'clock at title' },
  { name: 'a time that is not now', here: 'at 2025-01-01', golden: 'at 2025-01-02', says: 'differs' },
  { name: 'a time, and something else', here: 'a 2026-11-28', golden: 'b 2026-07-01', says: 'differs' },
  { name: 'a number that is no time', here: 41, golden: 42, says: 'differs' },
  { name: 'a golden time that is yet to come', here: '2026-11-28', golden: '2027-11-28', says: 'differs' },
]

test.each(values)('$name', ({ here, golden, says }) => {
  const run = { out: { title: JSON.stringify(here) }, errors: {} }
  const { explained, differences } = compareRun(run, { out: { title: golden }, errors: {} }, NOW_MS)
  if (says === 'differs') expect([explained, differences]).toEqual([[], [expect.stringContaining('title: is ')]])
  else expect([explained, differences]).toEqual([[`title: ${says}`], []])
})

test.each([
  {
    here: STUB,
    golden: "NoCredentialsError('Unable to locate credentials')",
    explained: ['error of title: stub'],
    differences: 0,
  },
  { here: STUB, golden: undefined, explained: [], differences: 1 },
  { here: "KeyError('a')", golden: "NoCredentialsError('x')", explained: [], differences: 1 },
])('an error $here where $golden was expected', ({ here, golden, explained, differences }) => {
  const result = compareRun(
    { out: {}, errors: { title: here } },
    { out: {}, errors: golden === undefined ? {} : { title: golden } },
    NOW_MS,
  )
  expect(result.explained).toEqual(explained)
  expect(result.differences).toHaveLength(differences)
})
