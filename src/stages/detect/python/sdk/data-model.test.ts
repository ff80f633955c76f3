import { afterEach, expect, test, vi } from 'vitest'
import type { DataModel } from '../../../../model/data-model.ts'
import type { Rule } from '../../../../model/rule.ts'
import type { PythonDetector } from '../detector.ts'
import { python } from '../index.ts'
import { dedent, errorsOf, makeBatch, makeHelper, makeRule, makeTest, matchesOf } from '../rule.fixture.ts'

vi.setConfig({ testTimeout: 120_000 })

const open: PythonDetector[] = []
afterEach(async () => {
  for (const detector of open.splice(0)) await detector.close()
})

async function detect(rules: readonly Rule[], dataModels: readonly DataModel[]): Promise<PythonDetector> {
  const helpers = [makeHelper('my_helper', 'def shout(text): return text.upper()')]
  const detector = await python.create({ rules, helpers, dataModels }, { timeoutMs: 1000, all: true })
  open.push(detector)
  return detector
}

function makeModel(id: string, mappings: DataModel['mappings'], code?: string, logTypes = ['Test.Log']): DataModel {
  const source = code === undefined ? undefined : { file: `/root/models/${id}.py`, code: dedent(code) }
  return { id, displayName: undefined, enabled: true, logTypes, mappings, file: `/root/models/${id}.yml`, root: '/root', source }
}

/** Returns the value of an expression about an event, and its type. */
const ASKS = makeRule(
  'Asks',
  `
  def rule(event):
      global answer
      answer = eval(event['ask'])
      return True
  def title(event):
      return f'{type(answer).__name__} {answer}'
`,
)

const MODEL = makeModel(
  'Model',
  [
    { name: 'plain', path: 'name' },
    { name: 'deep', path: '$.a.b.c' },
    { name: 'object', path: '$.a' },
    { name: 'list', path: 'list' },
    { name: 'none', path: 'none' },
    { name: 'spaced', path: "$.a['the key'].x" },
    { name: 'second', path: 'list[1]' },
    { name: 'last', path: '$.list[-1]' },
    { name: 'only', path: 'one[*].id' },
    { name: 'many', path: 'many[*].id' },
    { name: 'below', path: '$.a..c' },
    { name: 'chosen', path: "$.many[?(@.id == 2 & @.kind != 'x')].kind" },
    { name: 'like', path: "$.many[?(@.kind =~ '^z')].kind" },
    { name: 'sliced', path: 'list[1:2]' },
    { name: 'either', path: '$.a.nothing|b.c' },
    { name: 'one_of', path: "$.a['nothing', 'b'].c" },
    { name: 'at', path: '$.@timestamp' },
    { name: 'itself', path: '$' },
    { name: 'method', method: 'get_method' },
    { name: 'shadowed', method: 'get_field' },
    { name: 'fails', method: 'get_failing' },
    { name: 'makes', method: 'get_set' },
  ],
  `
  from my_helper import shout
  def get_method(event): return shout(event.get('NAME')) + type(event).__name__
  def get_field(event): return None
  def get_failing(event): raise KeyError('no such thing')
  def get_set(event): return {'a'}
`,
)

const EVENT = {
  name: 'n',
  Name: 'other case',
  a: { b: { c: 7 }, 'the key': { x: 'spaced' } },
  list: ['p', 'q', 'r'],
  none: null,
  one: [{ id: 1 }],
  many: [
    { id: 1, kind: 'y' },
    { id: 2, kind: 'x' },
    { id: 2, kind: 'z' },
  ],
  shadowed: 'field of the event',
  unmapped: 'u',
  zero: 0,
  p_udm: { source: 'from p_udm', nested: { x: 1 } },
  'A.B': 'dotted',
  '@timestamp': 't',
}

const ANSWERS: readonly (readonly [string, string])[] = [
  ["event.udm('plain')", 'str n'],
  ["event.udm('deep')", 'int 7'],
  [
    "event.udm('object')",
    "ImmutableCaseInsensitiveDict ImmutableCaseInsensitiveDict({'b': {'c': 7}, 'the key': {'x': 'spaced'}})",
  ],
  ["event.udm('list')", "ImmutableList ImmutableList(('p', 'q', 'r'))"],
  // An existing null is returned, whatever the default.
  ["event.udm('none', default='d')", 'NoneType None'],
  ["event.udm('spaced')", 'str spaced'],
  ["event.udm('second')", 'str q'],
  ["event.udm('last')", 'str r'],
  ["event.udm('only')", 'int 1'],
  ["event.udm('below')", 'int 7'],
  ["event.udm('chosen')", 'str z'],
  ["event.udm('like')", 'str z'],
  ["event.udm('sliced')", 'str q'],
  ["event.udm('either')", 'int 7'],
  ["event.udm('one_of')", 'int 7'],
  ["event.udm('at')", 'str t'],
  ["event.udm('itself') == event.to_dict()", 'bool True'],
  ["event.udm_path('either')", 'str a.b.c'],
  ["event.udm('method')", 'str NImmutableCaseInsensitiveDict'],
  ["event.udm('makes')", "set {'a'}"],
  ["event.udm('makes').clear() or event.udm('makes')", "set {'a'}"],
  // A mapped name never falls through to the event's own field.
  ["event.udm('shadowed', default='d')", 'NoneType None'],
  ["event.udm('unmapped')", 'str u'],
  ["event.udm('zero', default=4)", 'int 4'],
  ["event.udm('source')", 'str from p_udm'],
  ["event.udm('nested', 'x')", 'int 1'],
  ["event.udm('a', 'b', 'c')", 'int 7'],
  ["event.udm('nowhere', default='d')", 'str d'],
  ["event.udm_path('plain')", 'str name'],
  ["event.udm_path('deep')", 'str a.b.c'],
  ["event.udm_path('second')", 'str list.[1]'],
  ["event.udm_path('only')", 'str one.[0].id'],
  ["event.udm_path('method')", 'str get_method'],
  ["event.udm_path('unmapped')", 'NoneType None'],
]

test('udm and udm_path follow the data model of the log type', async () => {
  const detector = await detect([ASKS], [MODEL])
  const findings = await detector.evaluate(makeBatch(ANSWERS.map(([ask]) => ({ ...EVENT, ask }))))
  expect(errorsOf(findings)).toEqual([])
  expect(matchesOf(findings).map(({ title }) => title)).toEqual(ANSWERS.map(([, answer]) => answer))
})

test('several hits and a failing method are errors of the rule, on every call', async () => {
  const detector = await detect([ASKS], [MODEL])
  const asks = ["event.udm('many')", "event.udm_path('many')", "event.udm('fails')", "event.udm('fails')"]
  const findings = await detector.evaluate(makeBatch(asks.map((ask) => ({ ...EVENT, ask }))))
  expect(errorsOf(findings).map(({ message }) => message)).toEqual([
    expect.stringContaining('JSONPath [many[*].id] in DataModel [Model], matched multiple fields.'),
    expect.stringContaining('matched multiple fields.'),
    expect.stringMatching(/models\/Model.py:4 in get_failing: KeyError: 'no such thing'/),
    expect.stringMatching(/KeyError/),
  ])
})

test('a unit test gets the data model of its p_log_type, whatever the log types of the rule; a scheduled rule gets none', async () => {
  const rule = "def rule(event): return True\ndef title(event): return str(event.udm('plain'))"
  const rules = [makeRule('R', rule, { logTypes: ['Other.Log'] }), makeRule('S', rule, { kind: 'scheduled_rule', logTypes: [] })]
  const detector = await detect(rules, [makeModel('M', [{ name: 'plain', path: 'x' }])])
  const title = async (id: string, log: object) => (await detector.test(id, makeTest(log))).out['title']
  expect(await title('R', { p_log_type: 'Test.Log', x: 'by path', plain: 'own' })).toBe('"by path"')
  expect(await title('R', { p_log_type: 'Other.Log', x: 'by path', plain: 'own' })).toBe('"own"')
  expect(await title('R', { x: 'by path', plain: 'own' })).toBe('"own"')
  expect(await title('S', { p_log_type: 'Test.Log', x: 'by path', plain: 'own' })).toBe('"own"')
})

test('without a data model udm reads the event and udm_path says why it cannot', async () => {
  const detector = await detect([ASKS], [])
  const asks = ["event.udm('name')", "event.udm_path('name')"]
  const findings = await detector.evaluate(makeBatch(asks.map((ask) => ({ name: 'n', p_log_type: 'Test.Log', ask }))))
  expect(matchesOf(findings)).toMatchObject([{ title: 'str n' }])
  expect(errorsOf(findings)).toMatchObject([
    { message: expect.stringContaining("PantherError: a data model hasn't been specified for log type: Test.Log") },
  ])
})

test.each([
  [[{ name: 'x', method: 'missing' }], 'def other(event): pass', /DataModel is missing method named \[missing\]/],
  [[{ name: 'x', path: '$.a[?(@.b matches /c/)]' }], undefined, /mapping \[x\].*is not understood/],
  [[{ name: 'x', path: 'a.`len`' }], undefined, /is not understood/],
  [[{ name: 'x', path: 'a b' }], undefined, /is not understood/],
  [[{ name: 'x', path: 'a where b' }], undefined, /is not understood/],
  [[{ name: 'x', method: 'f' }], 'def f(event) return', /SyntaxError/],
  [[{ name: 'x', method: 'f' }], 'import os\nos._exit(1)', /importing it ends the sandbox/],
  [[{ name: 'x', method: 'f' }], 'while True: pass', /took longer than/],
] satisfies [DataModel['mappings'], string | undefined, RegExp][])(
  'a data model that cannot be loaded (%j) is reported at startup, and to every rule that uses it',
  async (mappings, code, message) => {
    const detector = await detect([ASKS], [makeModel('Bad', mappings, code)])
    expect(detector.setupErrors).toMatchObject([{ ruleId: 'Bad', message: expect.stringMatching(message) }])
    const findings = await detector.evaluate(makeBatch([{ ask: "event.udm('x')" }, { ask: "event.get('ask')" }]))
    expect(errorsOf(findings)).toMatchObject([
      { event: 0, message: expect.stringContaining('DataModel [Bad] could not be loaded') },
    ])
    expect(matchesOf(findings)).toMatchObject([{ event: 1 }])
  },
)
