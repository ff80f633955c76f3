import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Event } from '../../model/event.ts'
import type { JsonObject } from '../../model/json.ts'
import { stringifyJson } from '../../util/json.ts'
import { buildTable } from './build.ts'
import { defineTable } from './definition.ts'
import { createEnricher } from './enricher.ts'
import { imageOf, openTable } from './open.ts'
import { compileTableSchema } from './table-schema.ts'

const file = '/content/x.yml'

function define(change: object) {
  const LogTypeMap = { PrimaryKey: 'key', AssociatedLogTypes: [{ LogType: 'A', Selectors: ['src'] }] }
  return defineTable({ AnalysisType: 'lookup_table', LookupName: 't', Filename: 'x', LogTypeMap, ...change }, { file })
}

const tableOf = (rows: readonly JsonObject[], change: object) =>
  buildTable(define(change), undefined, { bytes: Buffer.from(stringifyJson(rows)) })

function enrich(table: Awaited<ReturnType<typeof tableOf>>, src: JsonObject[string]): JsonObject | undefined {
  const event = { src } as unknown as Event
  createEnricher([table]).enrich({ name: 'A', columns: [], isDescribed: false }, [event])
  return event['p_enrichment'] as JsonObject | undefined
}

const rows = [
  { key: 'a', v: 1, seen_at: '2024-03-01T00:00:00Z' },
  { key: 'A', v: 2, seen_at: '2024-03-03T00:00:00Z' },
  { key: 'b', v: 3 },
  { key: 'a', v: 4, seen_at: '2024-03-02T00:00:00Z' },
  { key: 'a', v: 5 },
]

describe('of rows with the same key', () => {
  test.each<[what: string, change: object, found: number]>([
    ['the last one counts', {}, 5],
    ['the first one counts', { RowsPerKey: 'first' }, 1],
    ['the newest one counts, rows without a time being the oldest', { RowsPerKey: 'newest', NewestBy: 'seen_at' }, 2],
  ])('%s', async (_, change, found) => {
    const table = await tableOf(rows, { Match: 'ignore_case', ...change })
    expect([table.get('A')?.['v'], table.get('b')?.['v'], table.get('c'), table.size]).toEqual([found, 3, undefined, 2])
    expect(enrich(table, 'a')).toMatchObject({ t: { src: { v: found } } })
  })

  test('all count: the selector has a list, in the order of the content', async () => {
    const table = await tableOf(rows, { Match: 'ignore_case', RowsPerKey: 'all' })
    const row = (v: number, match: string) => expect.objectContaining({ v, p_match: match, p_version: table.version })
    expect(enrich(table, 'A')).toEqual({ t: { src: [1, 2, 4, 5].map((v) => row(v, 'A')) } })
    expect(enrich(table, 'b')).toEqual({ t: { src: [row(3, 'b')] } })
    expect(enrich(table, ['b', 'a', 'b'])).toEqual({ t: { src: [row(3, 'b'), ...[1, 2, 4, 5].map((v) => row(v, 'a'))] } })
    expect(enrich(table, 'c')).toBeUndefined()
    expect(createEnricher([table]).rows.find('t', 'b')).toMatchObject({ row: [rows[2]] })
  })

  test('of more than a hundred under one selector the rest is left out, and that is said', async () => {
    const table = await tableOf(
      Array.from({ length: 101 }, (_, v) => ({ key: 'a', v })),
      { RowsPerKey: 'all' },
    )
    const { t, p_any_truncated: truncated } = enrich(table, ['a', 'b']) as { t: { src: unknown[] }; p_any_truncated: string[] }
    expect([t.src.length, truncated]).toEqual([100, ['t.src']])
  })

  test('a row whose list has one key in two spellings counts once', async () => {
    const table = await tableOf([{ key: ['a', 'A', 'a'], v: 1 }], { Match: 'ignore_case', RowsPerKey: 'all' })
    expect(enrich(table, 'a')).toEqual({ t: { src: [expect.objectContaining({ v: 1 })] } })
  })

  test('the newest of rows at the same time is the last one', async () => {
    const same = [1, 2, 3].map((v) => ({ key: 'a', v, seen_at: 1_700_000_000 }))
    expect((await tableOf(same, { RowsPerKey: 'newest', NewestBy: 'seen_at' })).get('a')?.['v']).toBe(3)
  })

  test('texts that are not keys are reported as without it', async () => {
    const table = await tableOf([{ key: '22' }, { key: 'x' }, { key: '22' }, { key: '443' }], {
      Match: 'port',
      RowsPerKey: 'all',
    })
    expect([table.size, table.skipped]).toMatchObject([2, { count: 1, examples: [expect.stringContaining('"x" is not a key')] }])
  })
})

test.each([
  ['2024-03-01T00:00:00.5Z', '2024-03-01T00:00:00.25Z'],
  ['2024-03-01 01:00:00+0000', '2024-03-01T01:30:00+01:00'],
  ['2024-03-02', '2024-03-01T23:59:59Z'],
  [1_709_251_201, '2024-03-01T00:00:00Z'],
  [1_709_251_200_001, 1_709_251_200],
  ['1709251200.5', 1_709_251_200_000_000],
])('%s is newer than %s', async (newer, older) => {
  const all = [
    { key: 'a', at: newer },
    { key: 'a', at: older },
  ]
  for (const some of [all, all.toReversed()])
    expect((await tableOf(some, { RowsPerKey: 'newest', NewestBy: 'at' })).get('a')?.['at']).toBe(newer)
})

test('a row whose time cannot be read is reported', async () => {
  const all = [
    { key: 'a', at: '2024-03-01' },
    { key: 'b', at: 'yesterday' },
  ]
  const { size, skipped } = await tableOf(all, { RowsPerKey: 'newest', NewestBy: 'at' })
  expect([size, skipped]).toEqual([1, { count: 1, examples: [`a row's 'at' is not a time: "yesterday"`] }])
})

describe('refused', () => {
  test.each<[object, RegExp]>([
    [{ RowsPerKey: 'newest' }, /x\.yml at RowsPerKey: .*NewestBy/],
    [{ NewestBy: 'at' }, /x\.yml at NewestBy: .*RowsPerKey: newest/],
    [{ RowsPerKey: 'some' }, /x\.yml at RowsPerKey/],
  ])('%j', (change, message) => expect(() => define(change)).toThrow(message))

  test('a time column that the schema does not have', async () => {
    const schema = compileTableSchema({ schema: 'X', fields: [{ name: 'key', type: 'string' }] }, { file })
    const built = buildTable(define({ RowsPerKey: 'newest', NewestBy: 'at', Format: 'csv' }), schema, {
      bytes: Buffer.from('key\na\n'),
    })
    await expect(built).rejects.toThrow("NewestBy: 'at' is not a field of the schema 'X'")
  })
})

describe('a linear search finds the same rows', () => {
  const octet = fc.constantFrom(0, 1, 2, 3, 128, 255)
  const address = fc.tuple(octet, octet).map(([a, b]) => `10.0.${a}.${b}`)
  const number = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const network = fc.tuple(address, fc.integer({ min: 22, max: 32 })).map(([base, bits]) => ({
    base: Math.floor(number(base) / 2 ** (32 - bits)) * 2 ** (32 - bits),
    bits,
    text: `${base}/${bits}`,
  }))
  const row = fc.record({ key: network, at: fc.nat(3) })

  /** The rows of the longest network that contains the address, in the order of the content. */
  function slowest(all: readonly { key: { base: number; bits: number }; at: number }[], wanted: string): number[] {
    const fitting = all.flatMap(({ key: { base, bits } }, i) =>
      number(wanted) >= base && number(wanted) < base + 2 ** (32 - bits) ? [{ i, bits }] : [],
    )
    const longest = Math.max(...fitting.map(({ bits }) => bits))
    return fitting.filter(({ bits }) => bits === longest).map(({ i }) => i)
  }

  test.each(['first', 'newest', 'all'])(
    '%s, among networks',
    async (RowsPerKey) => {
      const property = fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 25 }),
        fc.array(address, { minLength: 20, maxLength: 20 }),
        async (all, values) => {
          const change = { Match: 'cidr', RowsPerKey, ...(RowsPerKey === 'newest' && { NewestBy: 'at' }) }
          const built = await tableOf(
            all.map(({ key, at }, i) => ({ key: key.text, at: at + 1, i })),
            change,
          )
          for (const table of [built, openTable(structuredClone(imageOf(built)), undefined)]) {
            for (const value of values) {
              const found = slowest(all, value)
              const newest = found.reduce((best, i) => (best < 0 || all[i]!.at >= all[best]!.at ? i : best), -1)
              const expected =
                RowsPerKey === 'all' ? found : RowsPerKey === 'first' ? found.slice(0, 1) : found.length > 0 ? [newest] : []
              const hit = table.find(value)
              expect(hit < 0 ? [] : table.list(hit).map(({ values: one }) => one['i'])).toEqual(expected)
            }
          }
        },
      )
      await fc.assert(property, { seed: 5, numRuns: 100 })
    },
    120_000,
  )

  test('a range counts for each of its networks', async () => {
    const table = await tableOf(
      [
        { key: '192.0.2.0-192.0.2.2', v: 1 },
        { key: '192.0.2.0/31', v: 2 },
        { key: '2001:db8::-2001:db8::2', v: 3 },
        { key: '2001:db8::2', v: 4 },
      ],
      { Match: 'cidr', RowsPerKey: 'all' },
    )
    const found = (key: string) => (table.find(key) < 0 ? [] : table.list(table.find(key)).map(({ values }) => values['v']))
    expect(['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1', '2001:db8::2'].map(found)).toEqual([
      [1, 2],
      [1],
      [],
      [3],
      [3, 4],
    ])
  })
})
