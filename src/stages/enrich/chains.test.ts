import { describe, expect, test } from 'vitest'
import type { Event } from '../../model/event.ts'
import type { JsonObject } from '../../model/json.ts'
import { stringifyJson } from '../../util/json.ts'
import { buildTable } from './build.ts'
import { chainCycles, resolveChain } from './chains.ts'
import { defineTable } from './definition.ts'
import { createEnricher } from './enricher.ts'

const file = '/content/x.yml'

function define(name: string, Selectors: unknown[], PrimaryKey: unknown = 'key', change: object = {}) {
  const LogTypeMap = { PrimaryKey, AssociatedLogTypes: [{ LogType: 'A', Selectors }] }
  return defineTable({ AnalysisType: 'lookup_table', LookupName: name, Filename: 'x', LogTypeMap, ...change }, { file })
}

const build = (definition: ReturnType<typeof define>, rows: readonly JsonObject[]) =>
  buildTable(definition, undefined, { bytes: Buffer.from(stringifyJson(rows)) })

const assets = [
  { key: '192.0.2.1', owner: 'ada', site: { code: 'B1' } },
  { key: '192.0.2.2', owner: 'bob' },
]
const people = [
  { key: 'ada', team: 'red' },
  { key: 'bob', team: 'blue' },
]

async function enrich(event: JsonObject, ...tables: ReturnType<typeof build>[]) {
  const copy = structuredClone(event) as Event
  createEnricher(await Promise.all(tables)).enrich({ name: 'A', columns: [], isDescribed: false }, [copy])
  return (copy['p_enrichment'] ?? {}) as Record<string, Record<string, JsonObject>>
}

const CHAIN = 'p_enrichment.assets.src.owner'

describe('a table is joined on what another one added', () => {
  test.each([false, true])('in whatever order they are given (reversed: %s)', async (isReversed) => {
    const teams = build(define('teams', ['p_enrichment.people.p_enrichment.assets.src.owner.team']), [
      { key: 'red', lead: 'eve' },
    ])
    const tables = [build(define('assets', ['src']), assets), build(define('people', [CHAIN, 'user']), people), teams]
    const found = await enrich({ src: '192.0.2.1', user: 'bob' }, ...(isReversed ? tables.reverse() : tables))
    expect(found).toMatchObject({
      assets: { src: { owner: 'ada' } },
      people: { [CHAIN]: { team: 'red', p_match: 'ada' }, user: { team: 'blue' } },
      teams: { [`p_enrichment.people.${CHAIN}.team`]: { lead: 'eve', p_match: 'red' } },
    })
  })

  test('each event by its own rows; nothing where the first table adds nothing', async () => {
    const events = ['192.0.2.2', '192.0.2.9', '192.0.2.1'].map((src) => ({ src })) as unknown as Event[]
    const tables = await Promise.all([build(define('assets', ['src']), assets), build(define('people', [CHAIN]), people)])
    createEnricher(tables).enrich({ name: 'A', columns: [], isDescribed: false }, events)
    const teams = events.map(
      (event) => (event['p_enrichment'] as Record<string, Record<string, JsonObject>> | undefined)?.['people']?.[CHAIN],
    )
    expect(teams.map((row) => row?.['team'])).toEqual(['blue', undefined, 'red'])
  })

  test('a list of rows gives a list', async () => {
    const tables = [build(define('assets', ['src']), assets), build(define('people', [CHAIN]), people)]
    expect((await enrich({ src: ['192.0.2.2', '192.0.2.1'] }, ...tables))['people']).toEqual({
      [CHAIN]: [expect.objectContaining({ team: 'blue' }), expect.objectContaining({ team: 'red' })],
    })
  })

  test('a nested field, a selector with dots and a composite key with another field', async () => {
    const sites = define('sites', [['p_enrichment.assets.a.b.site.code', 'port']], ['code', 'port'])
    const tables = [build(define('assets', ['a.b']), assets), build(sites, [{ code: 'B1', port: 22, name: 'lab' }])]
    expect((await enrich({ a: { b: '192.0.2.1' }, port: 22 }, ...tables))['sites']).toMatchObject({
      'p_enrichment.assets.a.b.site.code+port': { name: 'lab', p_match: ['B1', 22] },
    })
  })

  test('what an event brings along as p_enrichment is not read', async () => {
    const forged = { p_enrichment: { assets: { src: { owner: 'ada' } } } }
    const tables = [build(define('assets', ['src']), assets), build(define('people', [CHAIN]), people)]
    expect((await enrich({ ...forged, src: 'x' }, ...tables))['people']).toBeUndefined()
  })

  test('a table without the other one in force is joined on its other selectors', async () => {
    expect(await enrich({ src: '192.0.2.1', user: 'ada' }, build(define('people', [CHAIN, 'user']), people))).toMatchObject({
      people: { user: { team: 'red' } },
    })
  })
})

test.each<[steps: string[], chain: unknown]>([
  [['t', 's', 'f', 'g'], { table: 't', selector: 's', path: ['f', 'g'] }],
  [['t', 'x', 's', 'f'], { table: 't.x', selector: 's', path: ['f'] }],
  [['t', 's', 's', 'f'], { table: 't', selector: 's.s', path: ['f'] }],
  [['u', 's', 'f'], 'table'],
  [['t', 'r', 'f'], 'selector'],
  [['t', 's'], 'field'],
  [['t'], 'selector'],
  [[], 'table'],
])('%j reads %j', (steps, chain) => {
  const tables = new Map([
    ['t', new Set(['s', 's.s'])],
    ['t.x', new Set(['s'])],
  ])
  expect(resolveChain(steps, (name) => tables.get(name))).toEqual(chain)
})

test.each<[Record<string, string[]>, string[][]]>([
  [{ a: ['x'], b: ['p_enrichment.a.x.f'], c: ['p_enrichment.b.y.f', 'p_enrichment.a.x.f'] }, []],
  [{ a: ['p_enrichment.b.x.f'], b: ['p_enrichment.a.x.f'] }, [['a', 'b', 'a']]],
  [{ a: ['p_enrichment.a.x.f'] }, [['a', 'a']]],
  [
    { z: ['p_enrichment.a.x.f'], a: ['p_enrichment.b.x.f'], b: ['p_enrichment.c.x.f'], c: ['p_enrichment.a.x.f'] },
    [['a', 'b', 'c', 'a']],
  ],
])('the circles of %j are %j', (tables, cycles) => {
  expect(chainCycles(new Map(Object.entries(tables).map(([name, selectors]) => [name, define(name, selectors)])))).toEqual(cycles)
})
