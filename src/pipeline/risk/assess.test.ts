import { expect, test } from 'vitest'
import type { Event } from '../../model/event.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Match } from '../../model/match.ts'
import type { EntityRef, RiskEntity } from '../../model/risk.ts'
import type { Rule, Severity } from '../../model/rule.ts'
import type { Judged } from '../../stages/alert/step.ts'
import type { Correlated } from '../steps.ts'
import { assess, entitiesOf, type Risk } from './assess.ts'
import { RISK_RULE } from './risk-rule.ts'

const AT_MS = 1_700_000_000_000

/** Risk that remembers what was last kept. */
function memory(): Risk & { keep(entities: readonly RiskEntity[]): void } {
  const kept = new Map<string, RiskEntity>()
  const key = ({ field, value }: EntityRef) => `${field} ${value}`
  return {
    settings: { halfLifeMs: 86_400_000, threshold: 100, fields: ['p_any_ip_addresses', 'p_any_usernames'], maxEntities: 1000 },
    store: { read: async (refs) => refs.flatMap((ref) => kept.get(key(ref)) ?? []) },
    keep: (entities) => {
      for (const entity of entities) kept.set(key(entity), entity)
    },
  }
}

const eventOf = (own: JsonObject) => ({ p_row_id: '1', p_log_type: 'T', ...own }) as Event
function judged(ruleId: string, severity: Severity, own: JsonObject): Judged {
  const finding = { kind: 'match', ruleId, event: 0, severity, title: ruleId, dedup: ruleId } as unknown as Match
  return { finding, event: eventOf(own), text: () => '{}' }
}
const rules = new Map<string, Rule>([
  ['Heavy', { ...RISK_RULE, id: 'Heavy', riskScore: 60, dedupPeriodMinutes: 60 }],
  ['Other', { ...RISK_RULE, id: 'Other', riskScore: 45.5, dedupPeriodMinutes: 60, displayName: 'The other' }],
  ['Out', { ...RISK_RULE, id: 'Out', riskScore: 0 }],
])
const clock = { atMs: () => AT_MS }
const found = (...items: Judged[]): Correlated => ({ judged: items, cacheWrites: [], correlation: { saved: [], removed: [] } })

test('entities that reach the threshold are matches of the built-in rule, with what each rule contributed', async () => {
  const risk = memory()
  const ana = { p_any_usernames: ['Ana'], p_any_ip_addresses: ['2001:DB8:0::9'] }
  const first = await assess(found(judged('Heavy', 'LOW', ana), judged('Heavy', 'LOW', ana)), risk, rules, clock)
  expect(first.judged).toHaveLength(2)
  risk.keep(first.risk!.entities)
  const second = await assess(found(judged('Other', 'LOW', { p_any_usernames: ['ANA', 'bob'] })), risk, rules, clock)
  // Rules of several log types have contributed.
  expect(second.judged.map(({ isWider }) => isWider)).toEqual([undefined, true])
  const [, match] = second.judged.map(({ finding }) => finding as Match)
  expect(match).toMatchObject({ ruleId: 'Caracal.Risk', title: 'Risk of ana has reached 105.5 (2 rules)', dedup: 'user:ana' })
  expect(JSON.parse(match!.alertContext!)).toMatchObject({
    entity: 'ana',
    kind: 'user',
    score: 105.5,
    threshold: 100,
    rules: [
      { rule_id: 'Heavy', points: 60, times: 1 },
      { rule_id: 'Other', name: 'The other', points: 45.5, times: 1 },
    ],
  })
  risk.keep(second.risk!.entities)
  const again = await assess(found(judged('Third', 'CRITICAL', { p_any_usernames: ['ana'] })), risk, rules, clock)
  expect(again.judged).toHaveLength(1)
  expect(again.risk!.entities[0]).toMatchObject({ value: 'ana', score: 185.5, isAlerted: true })
})

test('scores of 0, errors, and matches without an event or entity change nothing', async () => {
  const ana = { p_any_usernames: ['ana'] }
  const error = {
    ...judged('Heavy', 'HIGH', ana),
    finding: { kind: 'error', ruleId: 'Heavy', event: 0, cause: 'exception', message: '' },
  } as Judged
  const items = [
    judged('Out', 'CRITICAL', ana),
    judged('Unknown', 'INFO', ana),
    error,
    { ...judged('Heavy', 'HIGH', {}), event: undefined },
    judged('Heavy', 'HIGH', { p_any_domain_names: ['example.com'] }),
  ]
  const before = found(...items)
  expect(await assess(before, memory(), rules, clock)).toBe(before)
  expect(await assess(found(judged('Heavy', 'HIGH', ana)), undefined, rules, clock)).not.toHaveProperty('risk')
})

test('an event names each entity once, and not more than 50', () => {
  const fields = ['p_any_ip_addresses', 'p_any_usernames'] as const
  const event = eventOf({
    p_any_ip_addresses: ['::ffff:192.0.2.1', '192.0.2.1'],
    p_any_usernames: ['Bob', 'bob', 'x'.repeat(3000), 'a\0b'],
  })
  expect(entitiesOf(event, fields).map(({ value }) => value)).toEqual(['192.0.2.1', 'bob'])
  const many = eventOf({ p_any_usernames: Array.from({ length: 9000 }, (_, i) => `user${i}`) })
  expect(entitiesOf(many, fields)).toHaveLength(50)
})
