import { expect, test } from 'vitest'
import { defineTable } from './definition.ts'
import { learnedFrom } from './learned.ts'

function table(more: object = {}) {
  const document = {
    AnalysisType: 'lookup_table',
    LookupName: 'list',
    Filename: 'list.jsonl',
    Format: 'jsonl',
    LogTypeMap: { PrimaryKey: 'k' },
    ...more,
  }
  return { definition: defineTable(document, { file: '/x/list.yml' }), schema: undefined }
}
const content = (...rows: readonly object[]) => ({ bytes: Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n')) })
const keys = (...texts: readonly string[]) => content(...texts.map((k) => ({ k })))

test('a table learns of the keys that it did not have', async () => {
  expect(await learnedFrom(table(), keys('a', 'b'), keys('b', 'c', 'd'))).toEqual({ keys: ['c', 'd'], omitted: 0 })
  expect(await learnedFrom(table(), keys('a'), keys('a'))).toEqual({ keys: [], omitted: 0 })
})

test('of the first content all is learned, up to the limit, and the rest is counted', async () => {
  expect(await learnedFrom(table(), undefined, keys('a', 'b', 'c', 'd', 'e'), 3)).toEqual({ keys: ['a', 'b', 'c'], omitted: 2 })
})

test('a verdict that became worse is learned, one that became better or is harmless is not', async () => {
  const words = table({ Verdict: { Column: 'verdict', Order: ['benign', 'unknown', 'malicious'] } })
  const row = (k: string, verdict: string) => ({ k, verdict })
  const before = content(row('a', 'benign'), row('b', 'malicious'), row('c', 'unknown'), row('d', 'benign'))
  const after = content(
    row('a', 'unknown'),
    row('b', 'unknown'),
    row('c', 'malicious'),
    row('d', 'benign'),
    row('new harmless', 'benign'),
    row('new bad', 'unknown'),
  )
  expect((await learnedFrom(words, before, after)).keys).toEqual(['a', 'c', 'new bad'])
  const numbers = table({ Verdict: { Column: 'score' } })
  const scores = (...all: number[]) => content(...all.map((score, i) => ({ k: `k${i}`, score })))
  expect((await learnedFrom(numbers, scores(10, 90, 0), scores(20, 80, 0, 0, 5))).keys).toEqual(['k0', 'k4'])
})

test('worse keys come before new ones where not all can be listed', async () => {
  const scored = table({ Verdict: { Column: 'score' } })
  const before = content({ k: 'known', score: 1 })
  const after = content({ k: 'new', score: 5 }, { k: 'known', score: 9 })
  expect(await learnedFrom(scored, before, after, 1)).toEqual({ keys: ['known'], omitted: 1 })
})
