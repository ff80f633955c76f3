import { describe, expect, test } from 'vitest'
import type { Event } from '../../model/event.ts'
import type { JsonObject } from '../../model/json.ts'
import { buildTable } from './build.ts'
import { checkContent } from './content-checks.ts'
import { defineTable } from './definition.ts'
import { createEnricher } from './enricher.ts'
import { compileTableSchema } from './table-schema.ts'

const file = '/content/x.yml'
const csv = 'ip,port,name\n192.0.2.1,22,ssh of one\n192.0.2.1,443,web of one\n192.0.2.2,22,ssh of two\n'

function tableOf(content: string, change: object = {}, schema?: ReturnType<typeof compileTableSchema>) {
  const LogTypeMap = { PrimaryKey: ['ip', 'port'], AssociatedLogTypes: [{ LogType: 'A', Selectors: [['dst', 'dst_port']] }] }
  const document = { AnalysisType: 'lookup_table', LookupName: 't', Filename: 'x', LogTypeMap, ...change }
  return buildTable(defineTable(document, { file }), schema, { bytes: Buffer.from(content) })
}

async function enrich(event: JsonObject, content = csv): Promise<JsonObject | undefined> {
  const copy = structuredClone(event) as Event
  createEnricher([await tableOf(content)]).enrich({ name: 'A', columns: [], isDescribed: false }, [copy])
  return (copy['p_enrichment'] as { t: JsonObject } | undefined)?.t
}

describe('events are joined by several fields together', () => {
  const row = (ip: string, port: string, name: string, match: unknown[]) =>
    expect.objectContaining({ ip, port, name, p_match: match })

  test('the row is under the fields joined by +, with the values that matched', async () => {
    expect(await enrich({ dst: '::ffff:192.0.2.1', dst_port: 443 })).toEqual({
      'dst+dst_port': row('192.0.2.1', '443', 'web of one', ['::ffff:192.0.2.1', 443]),
    })
  })

  test.each<[what: string, event: JsonObject]>([
    ['one part differs', { dst: '192.0.2.2', dst_port: 443 }],
    ['a field is missing', { dst: '192.0.2.1' }],
    ['a field is null', { dst: '192.0.2.1', dst_port: null }],
    ['a field is an object', { dst: '192.0.2.1', dst_port: {} }],
    ['a list is empty', { dst: '192.0.2.1', dst_port: [] }],
  ])('nothing is found if %s', async (_, event) => expect(await enrich(event)).toBeUndefined())

  test('each element of a list is combined with the values of the other fields', async () => {
    expect(await enrich({ dst: ['192.0.2.2', '192.0.2.1'], dst_port: [22, 443, 22] })).toEqual({
      'dst+dst_port': [
        row('192.0.2.2', '22', 'ssh of two', ['192.0.2.2', 22]),
        row('192.0.2.1', '22', 'ssh of one', ['192.0.2.1', 22]),
        row('192.0.2.1', '443', 'web of one', ['192.0.2.1', 443]),
      ],
    })
  })

  test('a pattern of log types applies to those that have every field', async () => {
    const LogTypeMap = { PrimaryKey: ['ip', 'port'], AssociatedLogTypes: [{ LogType: 'Z.*', Selectors: [['dst', 'dst_port']] }] }
    const enricher = createEnricher([await tableOf(csv, { LogTypeMap })])
    const joined = (...names: string[]) => {
      const event = { dst: '192.0.2.1', dst_port: 22 } as unknown as Event
      enricher.enrich({ name: 'Z.x', isDescribed: true, columns: names.map((name) => ({ name })) as never }, [event])
      return 'p_enrichment' in event
    }
    expect([joined('dst', 'dst_port'), joined('dst')]).toEqual([true, false])
  })
})

describe('the rows of a composite key', () => {
  test('addresses are recognised from the keys; everything else is text', async () => {
    const table = await tableOf(csv)
    expect([table.match, table.size, table.get('::ffff:192.0.2.1+22')?.['name']]).toEqual(['composite', 3, 'ssh of one'])
  })

  test('a schema determines how each part is compared', async () => {
    const schema = compileTableSchema(
      {
        schema: 'X',
        fields: [
          { name: 'ip', type: 'string', indicators: ['domain'] },
          { name: 'port', type: 'int' },
        ],
      },
      { file },
    )
    expect((await tableOf('ip,port\nA.example,22\n', {}, schema)).get('a.EXAMPLE+22')).toEqual({ ip: 'A.example', port: 22 })
  })

  test('a row whose columns contain lists counts for each combination', async () => {
    const table = await tableOf('{"ip":["192.0.2.1","192.0.2.2"],"port":[1,2],"name":"x"}')
    expect(table.size).toBe(4)
    expect(['192.0.2.1+2', '192.0.2.2+1'].map((key) => table.get(key)?.['name'])).toEqual(['x', 'x'])
  })

  test('a row without one of the columns is reported', async () => {
    const { skipped } = await tableOf('{"ip":"192.0.2.1","port":22}\n{"ip":"192.0.2.1"}')
    expect(skipped).toEqual({ count: 1, examples: ["a row has no 'port' (part of the primary key)"] })
  })

  test('networks cannot be part of one, nor can other content without columns', async () => {
    const schema = compileTableSchema(
      {
        schema: 'X',
        fields: [
          { name: 'ip', type: 'string', validate: { cidr: 'any' } },
          { name: 'port', type: 'int' },
        ],
      },
      { file },
    )
    await expect(tableOf(csv, {}, schema)).rejects.toThrow(/'ip' contains networks.*add `Match:`/)
    await expect(tableOf('192.0.2.1\n', { Format: 'list' })).rejects.toThrow("a row has no 'port'")
  })

  test('look-ups and checks accept the parts as a list', async () => {
    const table = await tableOf(csv)
    const { find } = createEnricher([table]).rows
    expect(find('t', ['192.0.2.2', 22])).toMatchObject({ row: { name: 'ssh of two', p_match: ['192.0.2.2', 22] } })
    expect(find('t', ['192.0.2.2', null])).toMatchObject({ row: null })
    expect(find('t', '192.0.2.2')).toEqual({ problem: `a key of table 't' is a list of its parts, not "192.0.2.2"` })
    const Checks = { MustMatch: [['192.0.2.1', 22]], MustNotMatch: [['192.0.2.2', 443]] }
    const { checks } = defineTable(
      { AnalysisType: 'lookup_table', LookupName: 't', Filename: 'x', LogTypeMap: { PrimaryKey: ['ip', 'port'] }, Checks },
      { file },
    )
    expect(() => checkContent(table, checks, undefined)).not.toThrow()
    expect(() => checkContent(table, { ...checks, MustNotMatch: ['192.0.2.1+22'] }, undefined)).toThrow('"192.0.2.1+22"')
  })
})

test.each([
  ['looked up', '192.0.2.1', [{ name: 'ssh of one' }]],
  ['looked up, none of which matches', 'y', undefined],
])('combinations beyond those %s are named', async (_, first, rows) => {
  const many = (one: string) => [one, ...new Array<string>(40).fill('x')]
  const event = { dst: many(first), dst_port: many('22') } as unknown as Event
  createEnricher([await tableOf(csv)]).enrich({ name: 'A', columns: [], isDescribed: false }, [event])
  const { t, ...others } = event['p_enrichment'] as { t?: JsonObject }
  expect(t?.['dst+dst_port']).toEqual(rows && [expect.objectContaining(rows[0]!)])
  expect(others).toMatchObject({ p_any_truncated: ['t.dst+dst_port'] })
})

test('of long lists in several fields, no more combinations are made than are looked up', async () => {
  const long = (one: string) => [one, ...new Array<string>(100_000).fill('x')]
  const enrichment = await enrich({ dst: long('192.0.2.1'), dst_port: long('22') })
  expect(enrichment?.['dst+dst_port']).toMatchObject([{ name: 'ssh of one' }])
})
