import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Event } from '../../model/event.ts'
import type { JsonObject } from '../../model/json.ts'
import { stringifyJson } from '../../util/json.ts'
import { compileSchema } from '../normalise/compile.ts'
import { readSchemaDocument } from '../normalise/document.ts'
import { buildTable } from './build.ts'
import { defineTable } from './definition.ts'
import { createEnricher } from './enricher.ts'
import { imageOf, openTable } from './open.ts'
import { compileTableSchema } from './table-schema.ts'
import { AddressBatch } from './tables/address-batch.ts'

const file = '/content/x.yml'
const until = { name: 'until', type: 'timestamp', timeFormats: ['rfc3339'], isExpiration: true }
const document = { schema: 'My.Rows', fields: [{ name: 'key', type: 'string' }, { name: 'v', type: 'int' }, until] }
const schema = compileTableSchema(document, { file })

function tableOf(rows: readonly JsonObject[], change: object = {}) {
  const LogTypeMap = { PrimaryKey: 'key', AssociatedLogTypes: [{ LogType: 'A', Selectors: ['src'] }] }
  const yaml = { AnalysisType: 'lookup_table', LookupName: 't', Filename: 'x', LogTypeMap, ...change }
  return buildTable(defineTable(yaml, { file }), schema, { bytes: Buffer.from(stringifyJson(rows)) })
}

const at = (second: number) => Date.parse('2024-03-01T00:00:00Z') + second * 1000
const time = (second: number) => new Date(at(second)).toISOString()

test('a row is found until its time, by events as by look-ups; without one forever, and without a clock always', async () => {
  const table = await tableOf([
    { key: 'a', v: 1, until: time(10) },
    { key: 'b', v: 2 },
    { key: 'c', v: 3, until: null },
  ])
  const enricher = createEnricher([table])
  const joined = (src: string, atMs?: number) => {
    const event = { src } as unknown as Event
    enricher.enrich({ name: 'A', columns: [], isDescribed: false }, [event], atMs === undefined ? {} : { atMs })
    const { t } = (event['p_enrichment'] ?? {}) as { t?: { src: JsonObject } }
    return t?.src['v']
  }
  expect([joined('a', at(9.999)), joined('a', at(10)), joined('a')]).toEqual([1, undefined, 1])
  expect([joined('b', at(1e9)), joined('c', at(1e9))]).toEqual([2, 3])
  expect([table.get('a', at(9))?.['v'], table.get('a', at(10)), table.find('a', at(10))]).toEqual([1, undefined, -1])
  const looked = [9, 10].map((second) => enricher.rowsAt(at(second)).find('t', 'a'))
  expect(looked).toMatchObject([{ row: { v: 1 } }, { row: null }])
  expect(enricher.rows.find('t', 'a')).toMatchObject({ row: { v: 1 } })
})

describe('once a row has expired, what it took precedence over is found', () => {
  test.each<[what: string, change: object, found: (number | undefined)[]]>([
    ['the last before it', {}, [3, 1, undefined]],
    ['the first after it', { RowsPerKey: 'first' }, [1, 1, undefined]],
    ['the rest of all', { RowsPerKey: 'all' }, [1, 1, undefined]],
  ])('%s', async (_, change, found) => {
    const rows = [
      { key: 'a', v: 1, until: time(20) },
      { key: 'a', v: 2, until: time(10) },
      { key: 'a', v: 3, until: time(10) },
    ]
    const table = await tableOf(rows, change)
    expect([0, 10, 20].map((second) => table.get('a', at(second))?.['v'])).toEqual(found)
  })

  test('all of those left, if all count', async () => {
    const rows = [10, 20, 30].map((second, v) => ({ key: 'a', v, until: time(second) }))
    const table = await tableOf(rows, { RowsPerKey: 'all' })
    const found = (second: number) => table.list(table.find('a', at(second)), at(second)).map(({ values }) => values['v'])
    expect([found(0), found(10), found(20), table.find('a', at(30))]).toEqual([[0, 1, 2], [1, 2], [2], -1])
  })

  const keys: [match: string, narrow: string, wide: string, value: string][] = [
    ['cidr', '10.1.0.0/16', '10.0.0.0/8', '10.1.2.3'],
    ['cidr', '2001:db8:1::/48', '2001:db8::/32', '2001:db8:1::7'],
    ['domain', 'mail.example.com', 'example.com', 'x.mail.example.com'],
    ['glob', 'mail-*', 'm*', 'mail-1'],
  ]
  test.each(keys)('of %s keys %s, the less specific %s', async (Match, narrow, wide, value) => {
    const rows = [
      { key: narrow, v: 1, until: time(10) },
      { key: wide, v: 2, until: time(20) },
    ]
    const built = await tableOf(rows, { Match })
    for (const table of [built, openTable(structuredClone(imageOf(built)), schema)])
      expect([0, 10, 20].map((second) => table.get(value, at(second))?.['v'])).toEqual([1, 2, undefined])
  })
})

test('a linear search among networks that expire finds the same, one by one and in a batch', async () => {
  const octet = fc.constantFrom(0, 1, 128, 255)
  const address = fc.tuple(octet, octet).map(([a, b]) => 0x0a000000 + a * 256 + b)
  const text = (number: number) => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')
  const row = fc.record({ address, bits: fc.integer({ min: 20, max: 32 }), until: fc.option(fc.nat(5), { nil: undefined }) })
  const property = fc.asyncProperty(
    fc.array(row, { minLength: 1, maxLength: 25 }),
    fc.array(address, { minLength: 20, maxLength: 20 }),
    async (rows, values) => {
      const table = await tableOf(
        rows.map(({ address: base, bits, until: second }, v) => ({
          key: `${text(base)}/${bits}`,
          v,
          ...(second !== undefined && { until: time(second) }),
        })),
        { Match: 'cidr' },
      )
      const batch = new AddressBatch(values.length)
      const numbers = new Int32Array(values.length)
      for (let second = 0; second < 6; second++) {
        const slowest = (value: number) => {
          let best = -1
          for (const [i, { address: base, bits, until: end = 99 }] of rows.entries())
            if (end > second && base >>> (32 - bits) === value >>> (32 - bits) && (best < 0 || bits >= rows[best]!.bits)) best = i
          return best
        }
        const expected = values.map(slowest)
        expect(values.map((value) => table.get(text(value), at(second))?.['v'] ?? -1)).toEqual(expected)
        batch.read(values.map(text))
        table.findAll(batch, numbers, at(second))
        expect([...numbers].map((number) => (number < 0 ? -1 : table.row(number).values['v']))).toEqual(expected)
      }
    },
  )
  await fc.assert(property, { seed: 3, numRuns: 100 })
}, 120_000)

test('a row whose expiration cannot be read is reported', async () => {
  const { size, skipped } = await tableOf([
    { key: 'a', until: time(1) },
    { key: 'b', until: 'tomorrow' },
  ])
  expect([size, skipped.examples]).toEqual([1, [`a row's 'until' is not a time: "tomorrow"`]])
})

describe('isExpiration', () => {
  test('belongs to a top-level timestamp', () => {
    expect(readSchemaDocument(document, { file }).expiration).toBe('until')
    const wrong = { schema: 'My.Rows', fields: [{ name: 'until', type: 'string', isExpiration: true }] }
    expect(() => readSchemaDocument(wrong, { file })).toThrow('`isExpiration` belongs to a top-level field of type timestamp')
  })

  test('is refused in the schema of a log', () => {
    expect(() => compileSchema(document, { file })).toThrow(
      /x\.yml: 'until' is marked isExpiration, but only rows of a table expire/,
    )
  })
})
