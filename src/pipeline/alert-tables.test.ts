import { expect, test } from 'vitest'
import type { AlertWindow } from '../model/alert.ts'
import type { Event } from '../model/event.ts'
import type { JsonObject } from '../model/json.ts'
import type { Judged } from '../stages/alert/step.ts'
import { alertTables } from './alert-tables.ts'

const V1 = '2024-03-12-0123456789ab'
const V2 = '0123456789cd'

function judged(...enriched: readonly (readonly [alertId: string, enrichment: JsonObject | undefined])[]) {
  return new Map(
    enriched.map(([alertId, p_enrichment]) => [
      { event: { p_log_type: 'A', p_enrichment } as unknown as Event, finding: { kind: 'match' }, text: () => '' } as Judged,
      { alertId } as AlertWindow,
    ]),
  )
}

test('every version joined to an event of an alert is named once for that alert', () => {
  const tor = { ip: { ip: '192.0.2.1', p_version: V1 }, p_any_ip_addresses: [{ p_version: V1 }, { p_version: V2 }] }
  expect(alertTables(judged(['a', { tor }], ['a', { tor }], ['b', { ports: { port: { p_version: V2 } } }]))).toEqual([
    { alertId: 'a', table: 'tor', version: V1 },
    { alertId: 'a', table: 'tor', version: V2 },
    { alertId: 'b', table: 'ports', version: V2 },
  ])
})

test('events without enrichment, indicators of rows and rows without a version name nothing', () => {
  const odd = { p_any_ip_addresses: ['192.0.2.1'], x: { ip: { p_version: 17 } }, y: { ip: { p_version: `${V1}'` } }, z: null }
  expect(alertTables(judged(['a', undefined], ['a', odd]))).toEqual([])
})

test('a version that only the rule has read is named, also for a key without a row', () => {
  const looked = [V1, V2].map((p_version) => ({ table: 'users', row: { p_version, p_missing: true } }))
  const item = { event: {} as Event, finding: { kind: 'match', looked }, text: () => '' } as unknown as Judged
  expect(alertTables(new Map([[item, { alertId: 'a' } as AlertWindow]]))).toEqual([
    { alertId: 'a', table: 'users', version: V1 },
    { alertId: 'a', table: 'users', version: V2 },
  ])
})
