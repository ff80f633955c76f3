import { describe, expect, test } from 'vitest'
import { evaluate } from './evaluate.ts'
import { groupOf, MINUTE, ruleOf, sequenceOf, signal } from './rule.fixture.ts'
import type { Signal } from './rule.ts'

const A = { RuleID: 'A' }
const B = { RuleID: 'B' }
const C = { RuleID: 'C' }
const notB = { RuleID: 'B', Absence: true }
const hour = { LookbackWindowMinutes: 60 }

interface Case {
  readonly name: string
  readonly detection: object
  /** `A@5`: a signal of rule A at minute 5 for bob; `A@5=eve`: for eve. */
  readonly signals: string
  /** The completing signals. */
  readonly gives: string
}

const cases: readonly Case[] = [
  // Groups
  { name: 'a group matches in any order', detection: groupOf([A, B], hour), signals: 'B@1 A@2', gives: 'A@2' },
  { name: 'a group needs all its members', detection: groupOf([A, B], hour), signals: 'A@1 A@2', gives: '' },
  { name: 'a group joins equal values only', detection: groupOf([A, B], hour), signals: 'A@1 B@2=eve', gives: '' },
  { name: 'the look-back includes its ends', detection: groupOf([A, B], hour), signals: 'A@0 B@60', gives: 'B@60' },
  { name: 'a signal older than the look-back does not count', detection: groupOf([A, B], hour), signals: 'A@0 B@61', gives: '' },
  {
    name: 'the look-back defaults to 15 minutes',
    detection: groupOf([A, B]),
    signals: 'A@0 B@15 A@40 B@56',
    gives: 'B@15',
  },
  {
    name: 'MinMatchCount counts the signals of a member',
    detection: groupOf([{ ...A, MinMatchCount: 3 }, B], hour),
    signals: 'A@0 A@1 B@2 A@3 B@4',
    gives: 'A@3',
  },
  { name: 'a match uses up its signals', detection: groupOf([A, B], hour), signals: 'A@0 B@1 B@2 B@3 A@4', gives: 'B@1 A@4' },
  {
    name: 'MinMatchCount of a group counts members',
    detection: groupOf([A, B, C], { ...hour, MinMatchCount: 2 }),
    signals: 'A@0 A@1 C@2',
    gives: 'C@2',
  },
  {
    name: 'without MatchCriteria all signals belong together',
    detection: { Group: [A, B], ...hour },
    signals: 'A@1=bob B@2=eve',
    gives: 'B@2',
  },
  // Absence and too many
  { name: 'absence holds if nothing came', detection: groupOf([A, notB], hour), signals: 'A@1', gives: 'A@1' },
  { name: 'absence is spoilt by what came before', detection: groupOf([A, notB], hour), signals: 'B@0 A@1', gives: '' },
  { name: 'absence is spoilt by what comes after', detection: groupOf([A, notB], hour), signals: 'A@1 B@61', gives: '' },
  { name: 'absence ends with the look-back', detection: groupOf([A, notB], hour), signals: 'A@1 B@62', gives: 'A@1' },
  { name: 'absence of another value does not matter', detection: groupOf([A, notB], hour), signals: 'A@1 B@2=eve', gives: 'A@1' },
  {
    name: 'absence with MinMatchCount is spoilt by that many',
    detection: groupOf([A, { ...notB, MinMatchCount: 2 }], hour),
    signals: 'A@1 B@2 A@100 B@101 B@102',
    gives: 'A@1',
  },
  {
    name: 'MaxMatchCount is spoilt by more',
    detection: groupOf([{ ...A, MaxMatchCount: 2 }, B], hour),
    signals: 'A@0 A@1 B@2 A@100 A@101 A@102 B@103',
    gives: 'B@2',
  },
  {
    name: 'absence without MatchCriteria is spoilt by any signal',
    detection: { Group: [A, notB], ...hour },
    signals: 'A@1=bob B@2=eve A@100=bob',
    gives: 'A@100',
  },
  // Sequences
  { name: 'a sequence matches in order', detection: sequenceOf([A, B], hour), signals: 'A@1 B@2', gives: 'B@2' },
  { name: 'a sequence does not match in another order', detection: sequenceOf([A, B], hour), signals: 'B@1 A@2', gives: '' },
  { name: 'what happens at the same time is in order', detection: sequenceOf([A, B], hour), signals: 'B@1 A@1', gives: 'B@1' },
  {
    name: 'a transition has its own time frame',
    detection: sequenceOf([A, B], hour, [10]),
    signals: 'A@0 B@11 A@20 B@30',
    gives: 'B@30',
  },
  {
    name: 'a path through a sequence is found although a later signal is a dead end',
    detection: sequenceOf([A, B, C], hour, [2]),
    signals: 'A@5 B@6 B@20 C@21',
    gives: 'C@21',
  },
  {
    name: 'the look-back bounds the whole sequence',
    detection: sequenceOf([A, B, C], hour),
    signals: 'A@0 B@40 C@61',
    gives: '',
  },
  {
    name: 'a step of a sequence is complete with its MinMatchCount',
    detection: sequenceOf([{ ...A, MinMatchCount: 2 }, B], hour),
    signals: 'A@0 B@1 A@2 B@3',
    gives: 'B@3',
  },
  {
    name: 'MaxMatchCount of a step counts up to the match',
    detection: sequenceOf([{ ...A, MinMatchCount: 2, MaxMatchCount: 3 }, B], hour),
    signals: 'A@0 A@1 A@2 B@3 A@3 A@100 A@101 A@102 A@103 B@104',
    gives: '',
  },
  {
    name: 'a rule can be in two steps',
    detection: sequenceOf(
      [
        { ID: '1', ...A },
        { ID: '2', ...A },
      ],
      hour,
    ),
    signals: 'A@0 A@5',
    gives: 'A@5',
  },
  {
    name: 'one signal is not two steps',
    detection: sequenceOf(
      [
        { ID: '1', ...A },
        { ID: '2', ...A },
      ],
      hour,
    ),
    signals: 'A@0',
    gives: '',
  },
  {
    name: 'absence at the end of a sequence looks forward',
    detection: sequenceOf([A, notB], hour, [10]),
    signals: 'B@0 A@1 B@12',
    gives: 'A@1',
  },
  {
    name: 'absence at the end is spoilt within its time frame',
    detection: sequenceOf([A, notB], hour, [10]),
    signals: 'A@1 B@11',
    gives: '',
  },
  {
    name: 'absence at the start looks back',
    detection: sequenceOf([notB, A], hour, [10]),
    signals: 'B@0 A@5 A@11 B@12',
    gives: 'A@11',
  },
  {
    name: 'absence in the middle is spoilt by what comes between',
    detection: sequenceOf([A, notB, C], hour),
    signals: 'A@0 B@1 C@2 A@3 C@4 B@5',
    gives: 'C@4',
  },
  {
    name: 'absence in the middle is checked within the time frame after the previous step',
    detection: sequenceOf([A, notB, C], hour, [10]),
    signals: 'A@0 B@11 C@12',
    gives: 'C@12',
  },
]

function signalsOf(text: string): Signal[] {
  return text.split(' ').map((word) => {
    const [, rule = '', minute = '', user = 'bob'] = /^(\w+)@(\d+)(?:=(\w+))?$/.exec(word) ?? []
    return signal(rule, Number(minute), user, word)
  })
}

/** `A@5`, without the user. */
function namesOf(matches: ReturnType<typeof evaluate>): string {
  return matches.map(({ signals }) => signals.at(-1)!.rowId.replace(/=.*/, '')).join(' ')
}

test.each(cases)('$name', ({ detection, signals, gives }) => {
  expect(namesOf(evaluate(ruleOf(detection), signalsOf(signals), Number.POSITIVE_INFINITY))).toBe(gives)
})

test.each(cases)('the order of signals does not matter: $name', ({ detection, signals, gives }) => {
  expect(namesOf(evaluate(ruleOf(detection), signalsOf(signals).reverse(), Number.POSITIVE_INFINITY))).toBe(gives)
})

describe('what signals are joined on', () => {
  const rule = ruleOf(groupOf([A, B], hour))
  const values: readonly { name: string; a: unknown; b: unknown; gives: readonly string[] }[] = [
    { name: 'equal texts', a: 'x', b: 'x', gives: ['x'] },
    { name: 'texts that differ in case do not join', a: 'x', b: 'X', gives: [] },
    { name: 'a number and its text', a: 7, b: '7', gives: ['7'] },
    { name: 'a number beyond 2^53 and its text', a: 2n ** 60n, b: '1152921504606846976', gives: ['1152921504606846976'] },
    { name: 'a value and a list that holds it', a: 'x', b: ['y', 'x'], gives: ['x'] },
    { name: 'two lists, on each common value', a: ['x', 'y', 'z'], b: ['z', 'x'], gives: ['x', 'z'] },
    { name: 'lists without a common value do not join', a: ['x'], b: ['y'], gives: [] },
    { name: 'null does not join', a: null, b: null, gives: [] },
    { name: 'the empty text does not join', a: '', b: '', gives: [] },
    { name: 'objects do not join', a: { k: 1 }, b: { k: 1 }, gives: [] },
    { name: 'a missing field does not join', a: undefined, b: 'x', gives: [] },
    { name: 'values named like prototypes join', a: '__proto__', b: '__proto__', gives: ['__proto__'] },
  ]

  test.each(values)('$name', ({ a, b, gives }) => {
    const matches = evaluate(rule, [signal('A', 1, a), signal('B', 2, b)], Number.POSITIVE_INFINITY)
    expect(matches.map(({ joined }) => joined[0]!.value).sort()).toEqual(gives)
  })

  test('texts that only share their first 500 characters do not join', () => {
    const [a, b] = [`${'x'.repeat(600)}a`, `${'x'.repeat(600)}b`]
    expect(evaluate(rule, [signal('A', 1, a), signal('B', 2, b)], Number.POSITIVE_INFINITY)).toEqual([])
    expect(evaluate(rule, [signal('A', 1, a), signal('B', 2, a)], Number.POSITIVE_INFINITY)).toHaveLength(1)
  })

  test('a step joined on two fields must have the same value in both', () => {
    const chain = ruleOf({
      Sequence: [A, B, C],
      Transitions: [
        { From: 'A', To: 'B', Match: [{ From: 'user', To: 'old' }] },
        { From: 'B', To: 'C', Match: [{ From: 'new', To: 'user' }] },
      ],
    })
    const between = (fields: object): Signal => ({ ruleId: 'B', rowId: 'b', timeMs: MINUTE, fields: fields as Signal['fields'] })
    const around = [signal('A', 0), signal('C', 2)]
    expect(evaluate(chain, [...around, between({ old: 'bob', new: 'bob' })], Number.POSITIVE_INFINITY)).toHaveLength(1)
    expect(evaluate(chain, [...around, between({ old: 'bob', new: 'eve' })], Number.POSITIVE_INFINITY)).toEqual([])
  })

  test('a step without Match fits every value', () => {
    const loose = ruleOf({ Sequence: [A, B, C], Transitions: [{ From: 'A', To: 'B', Match: [{ On: 'user' }] }], ...hour })
    const signals = ['bob', 'eve'].flatMap((user) => [signal('A', 0, user), signal('B', 1, user)])
    const matches = evaluate(loose, [...signals, signal('C', 2, 'whoever')], Number.POSITIVE_INFINITY)
    expect(matches.map(({ joined }) => joined[0]!.value).sort()).toEqual(['bob', 'eve'])
  })

  test('all criteria of a group must hold', () => {
    const both = ruleOf({
      Group: [A, B],
      MatchCriteria: {
        who: ['A', 'B'].map((GroupID) => ({ GroupID, Match: 'user.name' })),
        where: ['A', 'B'].map((GroupID) => ({ GroupID, Match: 'user.ip' })),
      },
    })
    const of = (ip: string) => [signal('A', 1, { name: 'bob', ip: '1.1.1.1' }, 'a'), signal('B', 2, { name: 'bob', ip }, 'b')]
    const [match] = evaluate(both, of('1.1.1.1'), Number.POSITIVE_INFINITY)
    expect(match?.joined).toEqual([
      { name: 'who', value: 'bob' },
      { name: 'where', value: '1.1.1.1' },
    ])
    expect(match?.fields).toEqual({ user: { name: 'bob', ip: '1.1.1.1' } })
    expect(evaluate(both, of('2.2.2.2'), Number.POSITIVE_INFINITY)).toEqual([])
  })
})

test('absence is only certain once its time and the grace period have passed', () => {
  const rule = ruleOf(groupOf([A, notB], hour))
  const at = (minute: number) => evaluate(rule, [signal('A', 1)], minute * MINUTE, MINUTE).length
  expect([at(1), at(61), at(62)]).toEqual([0, 0, 1])
})

describe('EventEvaluationOrder determines which of several overlapping matches are reported', () => {
  const back = { EventEvaluationOrder: 'ReverseChronological' }
  const reported = (detection: object, signals: string) =>
    evaluate(ruleOf(detection), signalsOf(signals), Number.POSITIVE_INFINITY).map((match) =>
      match.signals.map(({ rowId }) => rowId).join(' '),
    )

  test.each([
    {
      name: 'the pair of the latest signal',
      detection: groupOf([A, B]),
      signals: 'A@0 B@10 A@20',
      forward: ['A@0 B@10'],
      reverse: ['B@10 A@20'],
    },
    {
      name: 'the latest start of a sequence',
      detection: sequenceOf([A, B], hour),
      signals: 'A@0 A@10 B@20 B@30',
      forward: ['A@0 A@10 B@20'],
      reverse: ['A@10 B@20 B@30'],
    },
    {
      name: 'signals before the first one of a match are still available',
      detection: sequenceOf([A, B], hour),
      signals: 'A@0 B@5 A@10 B@20',
      forward: ['A@0 B@5', 'A@10 B@20'],
      reverse: ['A@0 B@5', 'A@10 B@20'],
    },
    {
      name: 'a spoilt match is skipped in favour of an earlier one',
      detection: sequenceOf([A, notB], { LookbackWindowMinutes: 60 }, [10]),
      signals: 'A@0 A@20 A@40 B@41',
      forward: ['A@0', 'A@20'],
      reverse: ['A@0', 'A@20'],
    },
  ])('$name', ({ detection, signals, forward, reverse }) => {
    expect(reported(detection, signals)).toEqual(forward)
    expect(reported({ ...detection, ...back }, signals)).toEqual(reverse)
  })

  test('in reverse order used-up signals still spoil matches', () => {
    const detection = { ...sequenceOf([A, C, notB], { LookbackWindowMinutes: 30 }, [undefined, 5]), ...back }
    expect(reported(detection, 'A@0 C@1 A@3 B@4 C@10')).toEqual(['A@3 C@10'])
  })

  test('a long list costs no more in reverse order', () => {
    const many = Array.from({ length: 4000 }, (_, at) => signal(at % 2 ? 'A' : 'B', at / 10))
    const found = evaluate(ruleOf({ ...groupOf([A, B], hour), ...back }), many, Number.POSITIVE_INFINITY)
    expect(found).toHaveLength(2000)
  })

  test('but never whether there is one', () => {
    const few = [
      { ...A, MaxMatchCount: 3 },
      { ...B, MaxMatchCount: 1 },
    ]
    const signals = [24, 33, 35].map((minute) => signal('A', minute))
    signals.push(signal('B', 33), signal('B', 44, 'bob', 'first'), signal('B', 44, 'bob', 'second'))
    for (const order of [{}, back]) {
      const spoilt = ruleOf(groupOf(few, { LookbackWindowMinutes: 12, ...order }))
      expect(evaluate(spoilt, signals, Number.POSITIVE_INFINITY)).toEqual([])
    }
  })
})

test('a match names its members and signals', () => {
  const rule = ruleOf(groupOf([{ ...A, MinMatchCount: 2 }, B], hour))
  const [match] = evaluate(
    rule,
    ['A', 'A', 'A', 'B'].map((id, at) => signal(id, at)),
    Number.POSITIVE_INFINITY,
  )
  expect(match).toMatchObject({
    ruleId: 'Correlated',
    firstMs: 0,
    timeMs: 3 * MINUTE,
    counts: [
      { memberId: 'A', count: 3 },
      { memberId: 'B', count: 1 },
    ],
    isCut: false,
  })
  expect(match!.signals.map(({ rowId }) => rowId)).toEqual(['A@0/bob', 'A@1/bob', 'A@2/bob', 'B@3/bob'])
})
