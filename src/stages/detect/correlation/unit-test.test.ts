import { expect, test } from 'vitest'
import { groupOf, ruleOf, sequenceOf } from './rule.fixture.ts'
import { runCorrelationTest } from './unit-test.ts'

const failed = { RuleID: 'Login.Failed', ID: 'Failed', MinMatchCount: 3 }
const succeeded = { RuleID: 'Login.Ok', ID: 'Ok' }
const bruteForce = {
  Sequence: [failed, succeeded],
  Transitions: [
    { From: 'Failed', To: 'Ok', WithinTimeFrameMinutes: 10, Match: [{ From: 'p_alert_context.user', To: 'actor.name' }] },
  ],
  LookbackWindowMinutes: 60,
}
const context = 'p_alert_context.user'

const cases: readonly { name: string; detection: object; outputs: object[]; matches: boolean }[] = [
  {
    name: 'minutes',
    detection: bruteForce,
    outputs: [
      { ID: 'Failed', Matches: { [context]: { bob: [0, 1, 2] } } },
      { ID: 'Ok', Matches: { 'actor.name': { bob: [5] } } },
    ],
    matches: true,
  },
  {
    name: 'minutes that are too far apart',
    detection: bruteForce,
    outputs: [
      { ID: 'Failed', Matches: { [context]: { bob: [0, 1, 2] } } },
      { ID: 'Ok', Matches: { 'actor.name': { bob: [13] } } },
    ],
    matches: false,
  },
  {
    name: 'timestamps in several spellings',
    detection: bruteForce,
    outputs: [
      {
        ID: 'Failed',
        Matches: { [context]: { bob: ['2024-06-01T10:00:00Z', '2024-06-01 10:00:30', '2024-06-01T12:01:00.5+02:00'] } },
      },
      { ID: 'Ok', Matches: { 'actor.name': { bob: ['2024-06-01T10:02:00Z'] } } },
    ],
    matches: true,
  },
  {
    name: 'the same minute twice is two signals',
    detection: bruteForce,
    outputs: [
      { ID: 'Failed', Matches: { [context]: { bob: [0, 0, 0] } } },
      { ID: 'Ok', Matches: { 'actor.name': { bob: [0] } } },
    ],
    matches: true,
  },
  {
    name: 'several values at one time are separate signals',
    detection: groupOf([{ RuleID: 'A', MinMatchCount: 2 }]),
    outputs: [{ ID: 'A', Matches: { user: { bob: [0], eve: [0] } } }],
    matches: false,
  },
  {
    name: 'several fields at one time belong to one signal',
    detection: {
      Group: [{ RuleID: 'A' }, { RuleID: 'B' }],
      MatchCriteria: {
        who: ['A', 'B'].map((GroupID) => ({ GroupID, Match: 'user' })),
        where: ['A', 'B'].map((GroupID) => ({ GroupID, Match: 'ip' })),
      },
    },
    outputs: ['A', 'B'].map((ID) => ({ ID, Matches: { user: { bob: [1] }, ip: { '1.1.1.1': [1] } } })),
    matches: true,
  },
  {
    name: 'an output without fields counts if nothing is joined',
    detection: { Group: [{ RuleID: 'A' }, { RuleID: 'B' }] },
    outputs: [{ ID: 'A' }, { ID: 'B', Matches: { any: { x: [30] } } }],
    matches: true,
  },
  {
    name: 'outputs without fields are in the order of the sequence',
    detection: { Sequence: [{ RuleID: 'A' }, { RuleID: 'B' }] },
    outputs: [{ ID: 'B' }, { ID: 'A' }],
    matches: true,
  },
  {
    name: 'an output without fields cannot be joined',
    detection: groupOf([{ RuleID: 'A' }, { RuleID: 'B' }]),
    outputs: [{ ID: 'A' }, { ID: 'B', Matches: { user: { bob: [0] } } }],
    matches: false,
  },
  {
    name: 'absence is evaluated after all windows have ended',
    detection: sequenceOf([{ RuleID: 'A' }, { RuleID: 'B', Absence: true }]),
    outputs: [{ ID: 'A', Matches: { user: { bob: [0] } } }],
    matches: true,
  },
]

test.each(cases)('$name', ({ detection, outputs, matches }) => {
  const rule = ruleOf(detection, { Tests: [{ Name: 't', ExpectedResult: matches, RuleOutputs: outputs }] })
  expect(runCorrelationTest(rule, rule.tests[0]!)).toBe(rule.tests[0]!.expectedResult)
})
