import { afterEach, expect, test, vi } from 'vitest'
import type { Detector } from '../../language.ts'
import type { PythonDetector } from '../detector.ts'
import { python } from '../index.ts'
import { errorsOf, makeBatch, makeHelper, makeRule, matchesOf } from '../rule.fixture.ts'

// Each case loads and replaces children.
vi.setConfig({ testTimeout: 120_000 })

const open: Detector[] = []
afterEach(async () => {
  for (const detector of open.splice(0)) await detector.close()
})

const HELPER = makeHelper(
  'shared',
  `
    COUNT = 0
    NAMES = ['a', 'b']
    LIMITS = {'a': 1}
    MEMO = {}
    DEEP = {'a': []}
    SET = {'a'}
    class Kind:
        size = 1
        seen = 0
    def same(x): return x
    def count():
        global COUNT
        COUNT += 1
        MEMO[COUNT] = COUNT
        Kind.seen += 1
        return COUNT
  `,
)

/** Matches every event unless something that it uses has been changed. */
const ANSWER = `
  import shared, json
  def rule(event):
      return (
          shared.same(len(json.loads('[1]'))) == 1 and shared.NAMES == ['a', 'b'] and shared.LIMITS == {'a': 1}
          and shared.Kind.size == 1 and event.get('n') == 1 and isinstance(1, int)
      )
`

async function detect(bad: string): Promise<PythonDetector> {
  const rules = [makeRule('Before', ANSWER), makeRule('Bad', bad), makeRule('After', ANSWER)]
  const detector = await python.create({ rules, helpers: [HELPER] }, { timeoutMs: 1000, all: false })
  open.push(detector)
  return detector
}

const CHANGES = [
  ['a function of a helper', 'shared.same = lambda x: 0', 'shared.same'],
  ['a name that a helper did not have', 'shared.len = lambda x: 0', 'shared.len'],
  ['a name that is taken away', 'del shared.same', 'shared.same'],
  ['a list of a helper', "shared.NAMES.append('c')", 'shared.NAMES'],
  ['an entry of a dict of a helper', "shared.LIMITS['a'] = 2", 'shared.LIMITS'],
  ['a class of a helper', 'shared.Kind.size = 2', 'shared.Kind.size'],
  ['the code of a function', 'shared.same.__code__ = (lambda x: 0).__code__', 'the code of a function of shared'],
  ['names through a dict', "vars(shared)['same'] = None", 'shared.same'],
  ['built-in names of all', 'builtins.len = builtins.isinstance = None', 'builtins.isinstance'],
  ['built-in names of its place', "__builtins__['len'] = lambda x: 0", 'builtins.len'],
  ['a module of Python', 'json.loads = json.dumps = None', 'json.dumps'],
  ['a module of Python in another way', "setattr(json, 'loads', None)", 'json.loads'],
  ['the table of modules', "sys.modules['json'] = None", 'sys.modules.json'],
  ['a class of Python', 'json.JSONEncoder.iterencode = None', 'json.encoder.JSONEncoder.iterencode'],
  ['a list within a dict of a helper', "shared.DEEP['a'].append(1)", 'shared.DEEP'],
  ['what a set of a helper holds', "shared.SET.discard('a'); shared.SET.add('b')", 'shared.SET'],
  ['the defaults of a function', 'shared.same.__defaults__ = (1,)', 'the code of a function of shared'],
  ['a limit of the interpreter', 'sys.setrecursionlimit(40)', 'sys.setrecursionlimit'],
  ['where everybody prints', 'sys.stdout = None', 'sys.stdout'],
  ['what every call is shown to', 'sys.setprofile(print)', 'sys.setprofile'],
  ['the class of events', 'type(event).get = lambda self, name: 0', 'panther_core.enriched_event.PantherEvent.get'],
] as const

test.each(CHANGES)('a rule that changes %s is left out, and the others are judged again without it', async (_, line, what) => {
  const detector = await detect(`import builtins, json, sys, shared\ndef rule(event):\n    ${line}\n    return False`)
  const { pid } = detector
  const findings = await detector.evaluate(makeBatch([{ n: 1 }, { n: 2 }]))
  expect(matchesOf(findings).map((m) => [m.ruleId, m.event])).toEqual([
    ['Before', 0],
    ['After', 0],
  ])
  expect(errorsOf(findings).map((e) => [e.ruleId, e.event, e.cause])).toEqual([
    ['Bad', 0, 'tampering'],
    ['Bad', 1, 'tampering'],
  ])
  expect(errorsOf(findings)[0]!.message).toBe(
    `/root/rules/Bad.py: suspended for 60 s, then retried: it changed ${what}, which all rules share`,
  )
  expect(detector.pid).not.toBe(pid)
})

test('a rule that tampers only once is found in the next child', async () => {
  const code =
    'import shared\nDONE = []\ndef rule(event):\n    if not DONE: shared.same = None\n    DONE.append(1)\n    return False'
  const findings = await (await detect(code)).evaluate(makeBatch([{ n: 1 }]))
  expect(matchesOf(findings).map((m) => m.ruleId)).toEqual(['Before', 'After'])
  expect(errorsOf(findings).map((e) => [e.ruleId, e.cause])).toEqual([['Bad', 'tampering']])
})

test.each([
  ['a helper', 'shared.same = None', 'shared.same'],
  ['built-in names', 'builtins.len = None', 'builtins.len'],
  ['a module of Python', 'json.loads = None', 'json.loads'],
])('a rule that changes %s when it is imported is not loaded', async (_, line, what) => {
  const detector = await detect(`import builtins, json, shared\n${line}\ndef rule(event): return False`)
  expect(detector.setupErrors.map((e) => [e.ruleId, e.cause, e.message])).toEqual([
    ['Bad', 'tampering', `/root/rules/Bad.py: importing it changed ${what}, which all rules share`],
  ])
  const findings = await detector.evaluate(makeBatch([{ n: 1 }]))
  expect(matchesOf(findings).map((m) => m.ruleId)).toEqual(['Before', 'After'])
})

test('helpers and rules may change their own state', async () => {
  const code = `
    import shared
    SEEN = []
    class Mine: pass
    def rule(event):
        SEEN.append(1)
        Mine.last = event
        return shared.count() == len(SEEN) == len(shared.MEMO)
  `
  const detector = await detect(code)
  const { pid } = detector
  for (let n = 0; n < 3; n++) {
    const findings = await detector.evaluate(makeBatch([{ n: 1 }]))
    expect(matchesOf(findings).map((m) => m.ruleId)).toEqual(['Before', 'Bad', 'After'])
    expect(errorsOf(findings)).toEqual([])
  }
  expect(detector.pid).toBe(pid)
})

test('a helper may configure another one when it is imported', async () => {
  const rules = [makeRule('R', 'import setup, other\ndef rule(event): return other.LIMIT == 5 and other.ITEMS == [1]')]
  const helpers = [
    makeHelper('setup', 'import other\nother.LIMIT = 5\nother.ITEMS.append(1)'),
    makeHelper('other', 'LIMIT = 1\nITEMS = []'),
  ]
  const detector = await python.create({ rules, helpers }, { timeoutMs: 1000, all: false })
  open.push(detector)
  expect(detector.setupErrors).toEqual([])
  expect(matchesOf(await detector.evaluate(makeBatch([{}])))).toHaveLength(1)
})
