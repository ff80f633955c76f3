import { expect, test } from 'vitest'
import type { Event } from '../../model/event.ts'
import type { JsonObject } from '../../model/json.ts'
import { buildTable } from './build.ts'
import { defineTable } from './definition.ts'
import { createEnricher } from './enricher.ts'

async function enrich(keys: readonly string[], event: JsonObject, more: object = {}) {
  const document = {
    AnalysisType: 'lookup_table',
    LookupName: 't',
    Filename: 'x',
    Match: 'exact',
    ByValue: true,
    LogTypeMap: {
      PrimaryKey: 'key',
      AssociatedLogTypes: [{ LogType: 'A', Selectors: ['p_any_ip_addresses', 'p_any_domain_names', 'src', 'all'] }],
    },
    ...more,
  }
  const bytes = Buffer.from(JSON.stringify(keys.map((key) => ({ key }))))
  const table = await buildTable(defineTable(document, { file: '/content/x.yml' }), undefined, { bytes })
  const copy = structuredClone(event) as Event
  createEnricher([table]).enrich({ name: 'A', columns: [], isDescribed: false }, [copy])
  return (copy['p_enrichment'] as JsonObject | undefined)?.['t'] as JsonObject | undefined
}

test('a row is under the value that matched in an event’s indicators, and under the selector elsewhere', async () => {
  const event = { p_any_ip_addresses: ['a', 'x', 'b', 'a'], p_any_domain_names: ['b'], src: 'a', all: ['b'] }
  expect(await enrich(['a', 'b'], event)).toMatchObject({
    a: { key: 'a', p_match: 'a' },
    b: { key: 'b', p_match: 'b' },
    src: { key: 'a' },
    all: [{ key: 'b' }],
  })
})

test('without the setting they are lists under the selector', async () => {
  const found = await enrich(['a'], { p_any_ip_addresses: ['a'] }, { ByValue: false })
  expect(found).toMatchObject({ p_any_ip_addresses: [{ key: 'a' }] })
})

test('no name reaches a prototype, and there is a limit', async () => {
  const many = Array.from({ length: 150 }, (_, i) => `k${i}`)
  const found = await enrich([...many, '__proto__'], { p_any_ip_addresses: ['__proto__', ...many] })
  expect([Object.keys(found!).length, Object.getPrototypeOf(found)]).toEqual([100, Object.prototype])
})
