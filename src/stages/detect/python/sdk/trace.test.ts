import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Detector } from '../../language.ts'
import { python } from '../index.ts'
import { makeHelper, makeRule, makeTest } from '../rule.fixture.ts'

/** Code, an event, and by hand: the deciding expressions from the rule inwards, with line and outcome, and values among those shown. */
const CASES: Readonly<
  Record<string, { code: string; event: object; decided: readonly string[]; values: Readonly<Record<string, string>> }>
> = {
  'a comparison that is returned': {
    code: `
      def rule(event):
          return event.get("a") == 2`,
    event: { a: 1 },
    decided: ['2 event.get("a") == 2 → False'],
    values: { 'event.get("a")': '1' },
  },
  'the first operand of an `and` that is false': {
    code: `
      def rule(event):
          return event.get("a") == 1 and event.get("b") == 2 and event.get("c") == 3`,
    event: { a: 1, b: 1, c: 3 },
    decided: ['2 event.get("b") == 2 → False'],
    values: { 'event.get("b")': '1' },
  },
  'an early return': {
    code: `
      def rule(event):
          if event.get("kind") != "login":
              return False
          return True`,
    event: { kind: 'logout' },
    decided: ['2 event.get("kind") != "login" → True'],
    values: { 'event.get("kind")': "'logout'" },
  },
  'a helper of the content': {
    code: `
      from own_helpers import is_login
      def rule(event):
          return is_login(event)`,
    event: { kind: 'logout' },
    decided: ['3 is_login(event) → False', '2 event.deep_get("kind") == "login" → False'],
    values: { 'event.deep_get("kind")': "'logout'" },
  },
  'a variable that is returned': {
    code: `
      def rule(event):
          wanted = event.get("a", 0) > 3
          return wanted`,
    event: { a: 1 },
    decided: ['2 event.get("a", 0) > 3 → False'],
    values: { 'event.get("a", 0)': '1' },
  },
  'a loop that finds nothing': {
    code: `
      def rule(event):
          for name in event.get("names"):
              if name == "root":
                  return True
          return False`,
    event: { names: ['a', 'b'] },
    decided: ['2 event.get("names") → ended'],
    values: { 'event.get("names")': "['a', 'b']" },
  },
  'any() over a generator': {
    code: `
      WORDS = ("x", "y")
      def rule(event):
          return any(word in event.get("text") for word in WORDS)`,
    event: { text: 'abc' },
    decided: ['3 any(word in event.get("text") for word in WORDS) → False'],
    values: { 'event.get("text")': "'abc'", WORDS: "('x', 'y')" },
  },
  'a missing field': {
    code: `
      def rule(event):
          if not event.deep_get("actor", "name"):
              return False
          return True`,
    event: { actor: {} },
    decided: ['2 event.deep_get("actor", "name") → False'],
    values: { 'event.deep_get("actor", "name")': 'None' },
  },
  'a match': {
    code: `
      def rule(event):
          if event["a"] in (1, 2):
              return True
          return False`,
    event: { a: 2 },
    decided: ['2 event["a"] in (1, 2) → True'],
    values: { 'event["a"]': '2' },
  },
  'a subscript that is missing, and caught': {
    code: `
      def rule(event):
          try:
              return event["a"]["b"] > 1
          except KeyError:
              return False`,
    event: { a: {} },
    decided: ['3 event["a"]["b"] → raised KeyError: \'b\''],
    values: { 'event["a"]': '{}' },
  },
  'a conditional expression': {
    code: `
      def rule(event):
          return True if event.udm("x") is None else False`,
    event: { x: 1 },
    decided: ['2 event.udm("x") is None → False'],
    values: { 'event.udm("x")': '1' },
  },
  'a constant': {
    code: `
      def rule(event):
          return True`,
    event: {},
    decided: ['2 True → True'],
    values: {},
  },
  'lines that an expression spans': {
    code: `
      def rule(event):
          return all(
              [
                  event.get("ä") == "é",
                  event.get("b"),
              ]
          )`,
    event: { ä: 'e', b: true },
    decided: ['2 all( [ event.get("ä") == "é", event.get("b"), ] ) → False'],
    values: { 'event.get("ä")': "'e'" },
  },
}

const ids = Object.keys(CASES)
const helper = makeHelper('own_helpers', 'def is_login(event):\n    return event.deep_get("kind") == "login"')
const MORE = [
  makeRule('Loops', 'def rule(event):\n    while event.get("a"): pass'),
  makeRule('Hides', 'import sys\ndef rule(event):\n    sys.settrace(None)\n    return event.get("a") == 1'),
  makeRule(
    'Shows',
    'class A:\n    def __repr__(self): raise RuntimeError("no")\ndef rule(event):\n    a = A()\n    return a == 1',
  ),
  makeRule('Long', 'def rule(event):\n    return event.get("a") == "x"'),
  makeRule('Raises', 'def rule(event):\n    return event["nope"] == 1'),
]

let detector: Detector
beforeAll(async () => {
  const rules = [...ids.map((id) => makeRule(id, CASES[id]!.code)), ...MORE]
  detector = await python.create({ rules, helpers: [helper] }, { timeoutMs: 1000, all: true, traces: true })
})
afterAll(() => detector.close())

async function traceOf(id: string, event: object) {
  const { trace, ...run } = await detector.test(id, { ...makeTest(event), trace: true })
  return { ...run, trace: trace! }
}

test.each(ids)('%s', async (id) => {
  const { event, decided, values } = CASES[id]!
  const { trace, out } = await traceOf(id, event)
  expect(trace.decided.map(({ line, text, outcome }) => `${line} ${text} → ${outcome}`)).toEqual(decided)
  const shown = Object.fromEntries(trace.decided.flatMap((step) => step.values))
  expect(shown).toMatchObject(values)
  const plain = await detector.test(id, makeTest(event))
  expect(plain.trace).toBeUndefined()
  expect(plain.out).toEqual(out)
})

test('an endless loop is ended as always', async () => {
  const { errors } = await detector.test('Loops', { ...makeTest({ a: 1 }), trace: true })
  expect(errors['detection']).toContain('took longer than 1000 ms')
})

test('a rule that ends the tracing has its result and a shorter explanation', async () => {
  const { out, trace } = await traceOf('Hides', { a: 1 })
  expect(out['detection']).toBe('true')
  expect(trace.reads).toEqual([])
})

test('objects without a text do not spoil the explanation', async () => {
  const { trace } = await traceOf('Shows', {})
  expect(Object.fromEntries(trace.decided[0]!.values)['a']).toBe('<A, whose text cannot be shown: RuntimeError>')
})

test('long values are cut', async () => {
  const { trace } = await traceOf('Long', { a: '😀'.repeat(10_000) })
  const [[, value]] = trace.decided[0]!.values as [[string, string]]
  expect([...value].length).toBe(300)
})

test('code that raises is located', async () => {
  const { errors, where, trace } = await traceOf('Raises', {})
  expect(errors['detection']).toBe("KeyError('nope')")
  expect(where?.['detection']).toBe('/root/rules/Raises.py:2 in rule')
  expect(trace.reads).toEqual([])
})

test('a detector without traces refuses nothing, and knows no code', async () => {
  const plain = await python.create({ rules: [MORE[3]!], helpers: [] }, { timeoutMs: 1000, all: true })
  try {
    const { trace } = await plain.test('Long', { ...makeTest({ a: 1 }), trace: true })
    expect(trace?.decided[0]?.text).toBe('')
  } finally {
    await plain.close()
  }
})
