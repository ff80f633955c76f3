import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../../util/errors.ts'
import { parseCorrelationRule } from './parse.ts'
import { groupOf, ruleOf, sequenceOf } from './rule.fixture.ts'

const A = { RuleID: 'A' }
const B = { RuleID: 'B' }
const absentB = { RuleID: 'B', Absence: true }

function messageOf(detection: unknown, more: object = {}): string {
  const base = { AnalysisType: 'correlation_rule', RuleID: 'R', Enabled: true, Severity: 'Low', Detection: [detection], ...more }
  try {
    parseCorrelationRule(base, { file: 'r.yml' })
    return 'accepted'
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message
  }
}

test('a rule is read with its defaults', () => {
  const rule = ruleOf({ Group: [A, { ...B, MinMatchCount: 3 }] })
  expect(rule).toMatchObject({
    id: 'Correlated',
    severity: 'HIGH',
    createAlert: true,
    lookbackMs: 15 * 60_000,
    joins: [],
    pattern: { kind: 'group', needed: 2 },
    members: [
      { id: 'A', ruleId: 'A', min: 1, max: undefined, isAbsent: false },
      { id: 'B', ruleId: 'B', min: 3, max: undefined, isAbsent: false },
    ],
  })
})

test('a schedule is parsed and changes nothing else', () => {
  const plain = ruleOf({ Group: [A, B] })
  const rule = ruleOf({ Group: [A, B], Schedule: { RateMinutes: 60, TimeoutMinutes: 5 } })
  expect(rule.schedule).toEqual({ rateMinutes: 60, timeoutMinutes: 5 })
  expect(rule.version).toBe(plain.version)
  expect(ruleOf({ Group: [A, B], LookbackWindowMinutes: 16 }).version).not.toBe(plain.version)
})

test('a backward transition is taken as the one between the same steps, and reported', () => {
  const match = (From: string, To: string) => ({ WithinTimeFrameMinutes: 5, Match: [{ From, To }] })
  const forward = ruleOf({ Sequence: [A, B], ...transition('A', 'B', match('a.user', 'b.user')) })
  const backward = ruleOf({ Sequence: [A, B], ...transition('B', 'A', match('b.user', 'a.user')) })
  expect(backward.pattern).toEqual(forward.pattern)
  const pathsOf = ({ members }: typeof forward) =>
    members.map(({ fields }) => fields.map((list) => list?.map(({ path }) => path)))
  expect(pathsOf(backward)).toEqual(pathsOf(forward))
  expect(forward.notices).toEqual([])
  expect(backward.notices).toEqual([expect.stringContaining("from 'B' to 'A' leads backwards")])
})

test('the order of evaluation is parsed and does not change what is matched', () => {
  expect(ruleOf({ Group: [A, B] }).isReverse).toBe(false)
  expect(ruleOf({ Group: [A, B], EventEvaluationOrder: 'ReverseChronological' }).isReverse).toBe(true)
})

const transition = (From: string, To: string, more: object = {}) => ({ Transitions: [{ From, To, ...more }] })

const refused: readonly { name: string; detection: unknown; says: string }[] = [
  {
    name: 'an unknown key',
    detection: { Group: [A], Lookback: 5 },
    says: 'Detection.0: the key "Lookback" is unknown: remove it',
  },
  { name: 'neither a sequence nor a group', detection: {}, says: 'Detection.0: write either a Sequence' },
  { name: 'both a sequence and a group', detection: { Group: [A], Sequence: [B] }, says: 'write either a Sequence' },
  {
    name: 'transitions in a group',
    detection: { Group: [A, B], ...transition('A', 'B') },
    says: 'Detection.0.Transitions: Transitions belongs to a Sequence',
  },
  {
    name: 'criteria in a sequence',
    detection: { Sequence: [A, B], MatchCriteria: {} },
    says: 'MatchCriteria belongs to a Group',
  },
  { name: 'a wrong type', detection: { Group: [{ ...A, MinMatchCount: '5' }] }, says: 'Detection.0.Group.0.MinMatchCount' },
  {
    name: 'two members with one id',
    detection: {
      Group: [
        { ID: 'x', ...A },
        { ID: 'x', ...B },
      ],
    },
    says: "Detection.0.Group.1.ID: two members have the ID 'x'",
  },
  {
    name: 'one rule twice in a group',
    detection: {
      Group: [
        { ID: 'x', ...A },
        { ID: 'y', ...A },
      ],
    },
    says: 'ask for several matches with MinMatchCount',
  },
  { name: 'only absence', detection: { Group: [absentB] }, says: 'at least one must occur' },
  {
    name: 'absence with a maximum',
    detection: { Group: [A, { ...absentB, MaxMatchCount: 2 }] },
    says: 'it can have no MaxMatchCount',
  },
  {
    name: 'a maximum below the minimum',
    detection: { Group: [{ ...A, MinMatchCount: 5, MaxMatchCount: 2 }] },
    says: 'MaxMatchCount 2 is less than MinMatchCount 5',
  },
  {
    name: 'more members needed than there are',
    detection: { Group: [A, B], MinMatchCount: 3 },
    says: 'MinMatchCount 3 is more than the 2 members',
  },
  {
    name: 'a criterion with an unknown id',
    detection: { Group: [A, B], MatchCriteria: { u: [{ GroupID: 'x', Match: 'f' }] } },
    says: "Detection.0.MatchCriteria.u.0.GroupID: there is no member with the ID 'x'. Known: 'A', 'B'",
  },
  {
    name: 'a field that is not a path',
    detection: { Group: [A], MatchCriteria: { u: [{ GroupID: 'A', Match: 'a..b' }] } },
    says: "Detection.0.MatchCriteria.u.0.Match: the field 'a..b' cannot be read",
  },
  {
    name: 'criteria that no member has all of',
    detection: { Group: [A, B], MatchCriteria: { u: [{ GroupID: 'A', Match: 'f' }], v: [{ GroupID: 'B', Match: 'f' }] } },
    says: "no member that must occur is named in each of 'u', 'v'",
  },
  {
    name: 'a transition to an unknown id',
    detection: { Sequence: [A, B], ...transition('A', 'x') },
    says: "Detection.0.Transitions.0.To: there is no member with the ID 'x'",
  },
  { name: 'a transition to its own step', detection: { Sequence: [A, B], ...transition('A', 'A') }, says: 'leads nowhere' },
  {
    name: 'a transition over a step',
    detection: { Sequence: [A, B, { RuleID: 'C' }], ...transition('A', 'C') },
    says: 'leaves out steps that must occur',
  },
  {
    name: 'two transitions between the same steps',
    detection: {
      Sequence: [A, B],
      Transitions: [
        { From: 'A', To: 'B' },
        { From: 'A', To: 'B' },
      ],
    },
    says: 'there are two transitions',
  },
  {
    name: 'a match in two forms',
    detection: { Sequence: [A, B], ...transition('A', 'B', { Match: [{ On: 'f', From: 'g' }] }) },
    says: 'Detection.0.Transitions.0.Match.0: write either On',
  },
  {
    name: 'two matches in a transition',
    detection: { Sequence: [A, B], ...transition('A', 'B', { Match: [{ On: 'f' }, { On: 'g' }] }) },
    says: 'Detection.0.Transitions.0.Match',
  },
  {
    name: 'a schedule in two forms',
    detection: { Group: [A], Schedule: { RateMinutes: 5, CronExpression: '* * * * *', TimeoutMinutes: 1 } },
    says: 'write either RateMinutes or CronExpression',
  },
  {
    name: 'a rate below the timeout',
    detection: { Group: [A], Schedule: { RateMinutes: 5, TimeoutMinutes: 10 } },
    says: 'RateMinutes 5 is less than TimeoutMinutes 10',
  },
]

test.each(refused)('refuses $name', ({ detection, says }) => {
  expect(messageOf(detection)).toContain(says)
})

describe('the document around the detection', () => {
  const test1 = { Name: 't', ExpectedResult: true, RuleOutputs: [] }
  const cases: readonly { name: string; more: object; says: string }[] = [
    { name: 'an unknown key', more: { Threshold: 5 }, says: 'r.yml: the key "Threshold" is unknown: remove it' },
    { name: 'a detection that is not a list', more: { Detection: { Group: [A] } }, says: 'r.yml at Detection' },
    { name: 'two detections', more: { Detection: [{ Group: [A] }, { Group: [A] }] }, says: 'must be a list of one item' },
    {
      name: 'a test of an unknown member',
      more: { Tests: [{ ...test1, RuleOutputs: [{ ID: 'x' }] }] },
      says: "r.yml at Tests.0.RuleOutputs.0.ID: there is no member with the ID 'x'",
    },
    { name: 'two tests with one name', more: { Tests: [test1, test1] }, says: "Tests.1.Name: two tests are named 't'" },
    {
      name: 'an invalid time',
      more: { Tests: [{ ...test1, RuleOutputs: [{ ID: 'A', Matches: { f: { v: ['soon'] } } }] }] },
      says: "'soon' is not a time",
    },
  ]

  test.each(cases)('refuses $name', ({ more, says }) => {
    expect(messageOf({ Group: [A] }, more)).toContain(says)
  })

  test('any other kind of document is refused', () => {
    for (const document of [null, undefined, 5, 'x', [], {}, { AnalysisType: 'rule' }]) {
      expect(() => parseCorrelationRule(document, { file: 'r.yml' })).toThrow(ConfigError)
    }
  })
})

test('names like those of prototypes are names', () => {
  const names = ['__proto__', 'constructor', 'toString']
  const rule = ruleOf(groupOf(names.map((RuleID) => ({ RuleID }))))
  expect(rule.members.map(({ ruleId }) => ruleId)).toEqual(names)
  expect(ruleOf(sequenceOf(names.map((RuleID) => ({ RuleID })))).joins).toEqual(['user'])
})
