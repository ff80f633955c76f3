import { expect, test } from 'vitest'
import { evaluate } from './evaluate.ts'
import { toFinding, toRule } from './finding.ts'
import { groupOf, ruleOf, signal } from './rule.fixture.ts'

const more = { DisplayName: 'Break-in', Runbook: 'Look.', OutputIds: ['pager'], CreateAlert: false }
const rule = ruleOf(groupOf([{ RuleID: 'A' }, { RuleID: 'B' }]), more)

function findingFor(user: string) {
  const [match] = evaluate(rule, [signal('A', 0, user, 'a'), signal('B', 1, user, 'b')], Number.POSITIVE_INFINITY)
  return toFinding(rule, match!)
}

test('a match becomes a finding that names the joined value and the signals', () => {
  const { alertContext, ...finding } = findingFor('bob')
  expect(finding).toMatchObject({
    kind: 'match',
    ruleId: 'Correlated',
    event: -1,
    title: 'Break-in: bob',
    dedup: '["bob"]',
    severity: 'HIGH',
    runbook: 'Look.',
  })
  expect(JSON.parse(alertContext!)).toEqual({
    joined: [{ name: 'user', value: 'bob' }],
    first_signal_time: '1970-01-01T00:00:00.000Z',
    last_signal_time: '1970-01-01T00:01:00.000Z',
    members: [
      { id: 'A', rule_id: 'A', count: 1 },
      { id: 'B', rule_id: 'B', count: 1 },
    ],
    signals: [
      { id: 'A', rule_id: 'A', p_row_id: 'a', time: '1970-01-01T00:00:00.000Z' },
      { id: 'B', rule_id: 'B', p_row_id: 'b', time: '1970-01-01T00:01:00.000Z' },
    ],
  })
})

test('long values stay within the limits of titles and dedup strings, and stay different', () => {
  const [one, other] = [findingFor(`${'x'.repeat(3000)}1`), findingFor(`${'x'.repeat(3000)}2`)]
  expect(Math.max(one.title.length, one.dedup.length)).toBeLessThanOrEqual(1000)
  expect(one.dedup).not.toBe(other.dedup)
})

test('the rule’s metadata is used for alerts', () => {
  expect(toRule(rule)).toMatchObject({
    id: 'Correlated',
    displayName: 'Break-in',
    outputIds: ['pager'],
    createAlert: false,
    threshold: 1,
    dedupPeriodMinutes: 60,
  })
})
