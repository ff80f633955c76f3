import { describe, expect, test } from 'vitest'
import type { Event } from '../../model/event.ts'
import type { JsonObject } from '../../model/json.ts'
import { buildTable } from './build.ts'
import { defineTable } from './definition.ts'
import { createEnricher } from './enricher.ts'
import type { Table } from './table.ts'
import { compileTableSchema } from './table-schema.ts'

const file = '/content/x.yml'
const schema = compileTableSchema({ schema: 'X', fields: [{ name: 'ip', type: 'string', indicators: ['ip'] }] }, { file })

/** A table of addresses, joined on `selectors`. */
async function tableOf(
  name: string,
  rows: readonly JsonObject[],
  selectors: Readonly<Record<string, string[]>> = {},
): Promise<Table> {
  const AssociatedLogTypes = Object.entries(selectors).map(([LogType, Selectors]) => ({ LogType, Selectors }))
  const definition = defineTable(
    { AnalysisType: 'lookup_table', LookupName: name, Filename: 'x', LogTypeMap: { PrimaryKey: 'ip', AssociatedLogTypes } },
    { file },
  )
  return buildTable(definition, schema, { bytes: Buffer.from(JSON.stringify(rows)), date: '2024-03-12' })
}

/** A log type that may have any field. */
const anyFields = { name: 'A', columns: [], isDescribed: false }

/** The event's enrichment by the tables. */
function enrich(tables: readonly Table[], event: JsonObject): unknown {
  const copy = structuredClone(event) as Event
  createEnricher(tables).enrich(anyFields, [copy])
  return copy['p_enrichment']
}

const rows = [
  { ip: '192.0.2.1', note: 'one' },
  { ip: '192.0.2.2', note: 'two' },
]

describe('joins', () => {
  const cases: [what: string, selectors: string[], event: JsonObject, expected: unknown][] = [
    ['a plain field gives the row', ['src'], { src: '192.0.2.1' }, { src: 'one' }],
    ['no match gives nothing', ['src'], { src: '198.51.100.1' }, undefined],
    ['an absent field gives nothing', ['src'], { dst: '192.0.2.1' }, undefined],
    ['null gives nothing', ['src'], { src: null }, undefined],
    ['an object is no key', ['src'], { src: { ip: '192.0.2.1' } }, undefined],
    ['a dotted path', ['a.b'], { a: { b: '192.0.2.2' } }, { 'a.b': 'two' }],
    ['a path with a root is named without it', ['$.a.b'], { a: { b: '192.0.2.2' } }, { 'a.b': 'two' }],
    ['a field whose name holds dots wins', ['a.b'], { 'a.b': '192.0.2.1', a: { b: '192.0.2.2' } }, { 'a.b': 'one' }],
    ['a list gives a list', ['all'], { all: ['192.0.2.2', 'x', '192.0.2.1', '192.0.2.2'] }, { all: ['two', 'one'] }],
    ['a list with one match gives a list', ['all'], { all: ['192.0.2.2'] }, { all: ['two'] }],
    ['a list without a match gives nothing', ['all'], { all: ['x', 1, null, {}] }, undefined],
    ['an empty list gives nothing', ['all'], { all: [] }, undefined],
    [
      'an array on the way gives a list',
      ['as.b'],
      { as: [{ b: '192.0.2.1' }, {}, { b: ['192.0.2.2'] }] },
      { 'as.b': ['one', 'two'] },
    ],
    ['a JSONPath star', ['$.as[*].b'], { as: [{ b: '192.0.2.1' }] }, { 'as[*].b': ['one'] }],
    ['several selectors', ['src', 'dst', 'x'], { src: '192.0.2.1', dst: '192.0.2.2' }, { src: 'one', dst: 'two' }],
    ['what an event inherits is no field', ['constructor', 'toString.name'], {}, undefined],
    ['a selector named like an inherited name', ['constructor'], { constructor: '192.0.2.1' }, { constructor: 'one' }],
    ['the same with a list', ['toString'], { toString: ['192.0.2.1'] }, { toString: ['one'] }],
    [
      'a list too long for the arguments of a call',
      ['a.b'],
      { a: [{ b: [...new Array<string>(200_000).fill('x'), '192.0.2.1'] }] },
      { 'a.b': ['one'] },
    ],
  ]
  test.each(cases)('%s', async (_, selectors, event, expected) => {
    const enrichment = enrich([await tableOf('t', rows, { A: selectors })], event) as
      | { t: Record<string, JsonObject | JsonObject[]> }
      | undefined
    const notes =
      enrichment &&
      Object.fromEntries(
        Object.entries(enrichment.t).map(([name, hit]) => [
          name,
          Array.isArray(hit) ? hit.map((one) => one['note']) : hit['note'],
        ]),
      )
    expect(notes).toEqual(expected)
  })
})

test('a match is a copy of the row with the value that matched and the version; indicators are next to the tables', async () => {
  const table = await tableOf('t', rows, { A: ['src'] })
  const event = { src: '::ffff:192.0.2.1' }
  const row = { ip: '192.0.2.1', note: 'one', p_match: '::ffff:192.0.2.1', p_version: table.version }
  expect(enrich([table], event)).toEqual({ t: { src: row }, p_any_ip_addresses: ['192.0.2.1'] })
  expect(table.get('192.0.2.1')).toEqual({ ip: '192.0.2.1', note: 'one' })
})

test('indicators from several tables are collected without duplicates', async () => {
  const tables = [await tableOf('t', rows, { A: ['src', 'dst'] }), await tableOf('u', rows, { A: ['src'] })]
  expect(enrich(tables, { src: '192.0.2.2', dst: '192.0.2.1' })).toMatchObject({ p_any_ip_addresses: ['192.0.2.2', '192.0.2.1'] })
})

describe('automatic binding', () => {
  const event = { src: '192.0.2.1', p_any_ip_addresses: ['192.0.2.2'] }
  const cases: [what: string, selectors: Record<string, string[]>, expected: string[]][] = [
    ['a table without log types is joined by its indicator', {}, ['p_any_ip_addresses']],
    ['a log type with selectors of its own is not', { A: ['src'] }, ['src']],
    ['a log type listed without selectors is', { A: [] }, ['p_any_ip_addresses']],
    ['another log type is', { B: ['src'] }, ['p_any_ip_addresses']],
  ]
  test.each(cases)('%s', async (_, selectors, expected) => {
    const enrichment = enrich([await tableOf('t', rows, selectors)], event) as { t: object }
    expect(Object.keys(enrichment.t)).toEqual(expected)
  })
})

test('a table without a schema is joined on the indicators that its YAML names, and adds them to events', async () => {
  const definition = defineTable(
    {
      AnalysisType: 'lookup_table',
      LookupName: 'hosts',
      Filename: 'x',
      LogTypeMap: { PrimaryKey: 'host' },
      Indicators: { host: 'hostname', ip: 'ip' },
    },
    { file },
  )
  const content = { bytes: Buffer.from('host,ip,owner\nMail.Example.com,192.0.2.7,ada\n') }
  const table = await buildTable(definition, undefined, content)
  expect(enrich([table], { p_any_domain_names: ['mail.example.COM'] })).toMatchObject({
    hosts: { p_any_domain_names: [{ owner: 'ada', p_match: 'mail.example.COM' }] },
    p_any_domain_names: ['Mail.Example.com'],
    p_any_ip_addresses: ['192.0.2.7'],
  })
})

test('with an address indicator the keys decide whether they are addresses or networks', async () => {
  const document = {
    AnalysisType: 'lookup_table',
    LookupName: 'n',
    Format: 'csv',
    Filename: 'x',
    LogTypeMap: { PrimaryKey: 'net' },
    Indicators: { net: 'ip' },
  }
  const build = (keys: string) => buildTable(defineTable(document, { file }), undefined, { bytes: Buffer.from(`net\n${keys}\n`) })
  expect([(await build('192.0.2.7')).match, (await build('192.0.2.0/24\n198.51.100.1')).match]).toEqual(['ip', 'cidr'])
})

test('a row key __proto__ is copied as data', async () => {
  const table = await tableOf('t', [JSON.parse('{"ip":"192.0.2.1","__proto__":{"polluted":1}}')], { A: ['src'] })
  const enrichment = enrich([table], { src: '192.0.2.1' }) as { t: { src: object } }
  expect(Object.keys(enrichment.t.src)).toContain('__proto__')
  expect(Object.getPrototypeOf(enrichment.t.src)).toBe(Object.prototype)
})

test('tables named like inherited names are tables', async () => {
  const table = await tableOf('constructor', rows, { A: ['src'] })
  expect(Object.keys(enrich([table], { src: '192.0.2.1' }) as object)).toEqual(['constructor', 'p_any_ip_addresses'])
})

test.each([
  [99, 99, undefined],
  [100, 100, undefined],
  [101, 100, ['t.all']],
  [1000, 100, ['t.all']],
])(
  'a list of thousands of matches is truncated and marked as such (of %i matches %i are kept: %j)',
  async (length, kept, truncated) => {
    const many = Array.from({ length }, (_, i) => `10.0.${i >> 8}.${i & 255}`)
    const table = await tableOf(
      't',
      many.map((ip) => ({ ip })),
      { A: ['all'] },
    )
    const enrichment = enrich([table], { all: many }) as { t: { all: unknown[] }; p_any_truncated: string[] }
    expect([enrichment.t.all.length, enrichment.p_any_truncated]).toEqual([kept, truncated])
  },
)

test('an event without a match is left unchanged', async () => {
  const event = { src: 'x' } as unknown as Event
  createEnricher([await tableOf('t', rows, { A: ['src'] })]).enrich(anyFields, [event])
  expect(Object.keys(event)).toEqual(['src'])
})

describe('rows for rules', () => {
  const of = async () => createEnricher([await tableOf('t', rows), await tableOf('Hosts', rows)]).rows

  test('the row of any table for any key, as in the enrichment of an event', async () => {
    const { find } = await of()
    const table = await tableOf('t', rows, { A: ['src'] })
    const joined = enrich([table], { src: '192.0.2.1' }) as Record<string, JsonObject>
    expect(find('t', '192.0.2.1')).toEqual({ table: 't', version: table.version, row: joined['t']!['src'] })
  })

  test('no row is an answer with the version', async () => {
    const { find } = await of()
    const version = (await tableOf('t', rows)).version
    for (const key of ['192.0.2.99', null, 7, true]) expect(find('t', key)).toEqual({ table: 't', version, row: null })
  })

  test('an unknown table is not an answer: the known ones are named', async () => {
    const { find } = await of()
    expect(find('nope', '192.0.2.1')).toEqual({
      problem: expect.stringMatching(/no table 'nope' is in force. In force: t, Hosts\./),
    })
    expect(createEnricher([]).rows.find('t', 'k')).toEqual({ problem: expect.stringContaining('In force: none') })
    expect(find('t', ['192.0.2.1'])).toEqual({ problem: expect.stringContaining('not a list of 1') })
  })

  test('a table is found whatever the case of its name', async () => {
    const { find } = await of()
    expect(find('hosts', '192.0.2.2')).toMatchObject({ table: 'Hosts', row: { note: 'two' } })
  })

  test('another enricher has another stamp', async () => {
    const one = await of()
    expect(one.stamp).not.toBe((await of()).stamp)
  })
})

test('of a table that wants to know, addresses without a row are reported, except those of past events', async () => {
  const [live, other] = [await tableOf('live', rows, { A: ['src', 'all'] }), await tableOf('other', rows, { A: ['src'] })]
  const missed: [string, number][] = []
  const enricher = createEnricher([live, other], (table) =>
    table === live
      ? (batch, found) => {
          for (let i = 0; i < batch.size; i++) if (found[i]! < 0) missed.push([table.name, batch.words[i * 4]!])
        }
      : undefined,
  )
  const event = (src: string, ...all: string[]) => ({ src, all }) as unknown as Event
  enricher.enrich(anyFields, [event('192.0.2.1'), event('0.0.0.5', '192.0.2.2', '0.0.0.6')])
  expect(missed).toEqual([
    ['live', 5],
    ['live', 6],
  ])
  enricher.enrich(anyFields, [event('0.0.0.7')], { isPast: true })
  expect(missed).toHaveLength(2)
  const found = (table: string, ...keys: string[]) => keys.map((key) => enricher.rows.find(table, key))
  found('live', '0.0.0.8', '192.0.2.1')
  found('other', '0.0.0.9')
  enricher.rowsAt(0).find('live', '0.0.0.10')
  expect(missed.slice(2)).toEqual([
    ['live', 8],
    ['live', 10],
  ])
})
