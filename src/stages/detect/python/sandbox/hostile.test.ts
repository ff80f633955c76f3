import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import type { Finding } from '../../../../model/match.ts'
import type { Detector } from '../../language.ts'
import type { PythonDetector } from '../detector.ts'
import { python } from '../index.ts'
import { errorsOf, makeBatch, makeHelper, makeRule, matchesOf } from '../rule.fixture.ts'

// Starts and ends many children, which takes minutes on a small, busy machine.
vi.setConfig({ testTimeout: 300_000 })

const open: Detector[] = []
afterEach(async () => {
  for (const detector of open.splice(0)) await detector.close()
})

async function detect(rules: ReturnType<typeof makeRule>[], timeoutMs = 300): Promise<PythonDetector> {
  const detector = await python.create({ rules, helpers: [] }, { timeoutMs, all: false })
  open.push(detector)
  return detector
}

const EVENTS = Array.from({ length: 8 }, (_, n) => ({ n }))

/** Findings of the hostile rule's neighbour: every event, whatever the hostile rule does. */
const GOOD = makeRule('Good', 'def rule(event): return True')

// A rule's body that misbehaves on event 3 only, the cause of the error, and what the message says.
const STOPPED = [
  ['an endless loop', 'while True: pass', 'timeout', /took longer than 500 ms/],
  [
    'a loop that swallows exceptions',
    'while True:\n  try:\n    while True: pass\n  except Exception: pass',
    'timeout',
    /took longer/,
  ],
  ['an exploding regular expression', "import re; re.match(r'(a+)+$', 'a' * 40 + 'b')", 'timeout', /took longer/],
  ['a power that takes forever', 'len(str(7 ** 10 ** 8))', 'exception|timeout', /took longer|ValueError/],
  ['endless recursion', 'def f(): return f()\nf()', 'exception', /RecursionError/],
  ['a list of two gigabytes', '[0] * (2 * 1024 ** 3 // 4)', 'exception', /MemoryError/],
  ['memory in pieces', 'a = []\nwhile True: a.append(bytes(100_000_000))', 'exception|timeout', /MemoryError|took longer/],
  ['a polite exit', 'import sys; sys.exit(1)', 'exception', /SystemExit: 1/],
  ['an interrupt', 'raise KeyboardInterrupt', 'exception', /KeyboardInterrupt/],
  [
    'an exception without text',
    'class E(Exception):\n  def __str__(self): raise E\n  __repr__ = __str__\nraise E',
    'exception',
    /text cannot be made/,
  ],
  ['a huge message', "raise Exception('x' * 10_000_000)", 'exception', /truncated/],
  [
    'a flood of output',
    "import sys\nfor _ in range(999): print('x' * 999); sys.stderr.write('y')\nraise Exception('done')",
    'exception',
    /done/,
  ],
  [
    'output past sys.stdout',
    "import os\nfor _ in range(999): os.write(1, b'x'); os.write(2, b'y')\nraise Exception('done')",
    'exception',
    /done/,
  ],
  ['a generator as an answer', 'return (x for x in [1])', 'return_type', /generator/],
] as const

/** These end the child, or have to be ended with it. */
const FATAL = [
  [
    'a loop that swallows everything',
    'while True:\n  try:\n    while True: pass\n  except BaseException: pass',
    'timeout',
    /not be interrupted/,
  ],
  [
    'a loop without signals',
    'import signal; signal.signal(2, signal.SIG_IGN)\nwhile True: pass',
    'timeout',
    /not be interrupted/,
  ],
  ['a loop of the interpreter', 'sum(range(10 ** 12))', 'timeout', /not be interrupted: a call took longer than 500 ms/],
  [
    'a loop that keeps nothing',
    'import collections, itertools\ncollections.deque(itertools.count(), maxlen=0)',
    'timeout',
    /not be/,
  ],
  [
    'an exception whose text never ends',
    'class E(Exception):\n  def __str__(self):\n    while True: pass\nraise E',
    'timeout',
    /not be interrupted/,
  ],
  ['a sleep', 'import time; time.sleep(60)', 'timeout', /took longer|not be interrupted/],
  [
    'recursion through C',
    'a = []\nfor _ in range(10**6): a = [a]\nrepr(a)',
    'exception|crash',
    /RecursionError|ended the sandbox/,
  ],
  ['files in memory', "f = open('/tmp/x', 'wb')\nwhile True: f.write(bytes(10_000_000)); f.flush()", 'exception|crash', /./],
  ['the end of the process', 'import os; os._exit(7)', 'crash', /ended the sandbox/],
  ['a signal to itself', 'import os, signal; os.kill(os.getpid(), signal.SIGKILL)', 'exception|crash', /./],
  ['an abort', 'import os; os.abort()', 'crash', /ended the sandbox/],
  ['a shell', "import os; os.system('true')", 'exception|crash', /./],
] as const

test.each([
  ['stopped', STOPPED],
  ['fatal', FATAL],
] as const)('what can be %s is an error of its rule on its event alone', async (_, cases) => {
  const rules = cases.map(([name, body]) => {
    const indented = body.replaceAll(/^/gm, '    ')
    return makeRule(name, `def rule(event):\n  if event['n'] == 3:\n${indented}\n  return event['n'] % 2 == 0\n`)
  })
  const detector = await detect([...rules, GOOD], 500)
  const findings = await detector.evaluate(makeBatch(EVENTS))
  expect(matchedEvents(findings, 'Good')).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  const errors = errorsOf(findings)
  expect(errors.map((e) => [e.ruleId, e.event])).toEqual(cases.map(([name]) => [name, 3]))
  for (const [i, [name, , cause, message]] of cases.entries()) {
    expect(errors[i]!.cause, name).toMatch(new RegExp(`^(${cause})$`))
    expect(errors[i]!.message, name).toMatch(message)
    expect(errors[i]!.message, name).toContain(`/root/rules/${name}.py`)
    expect(matchedEvents(findings, name), name).toEqual([0, 2, 4, 6])
  }
  // Afterwards, everything works as before.
  const next = await detector.evaluate(makeBatch([{ n: 0 }]))
  expect(matchesOf(next).map((m) => m.ruleId)).toEqual([...rules, GOOD].map((rule) => rule.id))
})

test('a rule that times out on every event is soon suspended, visibly, and the others continue', async () => {
  const detector = await detect([makeRule('Slow', 'def rule(event):\n  while True: pass'), GOOD], 100)
  const first = await detector.evaluate(makeBatch(EVENTS))
  expect(errorsOf(first).map((e) => [e.event, e.cause])).toEqual(EVENTS.map(({ n }) => [n, 'timeout']))
  // The others have waited for one full limit, and from then on wait for a tenth of it.
  expect(
    errorsOf(first)
      .map(({ message }) => /took longer than (\d+) ms/.exec(message)?.[1])
      .slice(0, 3),
  ).toEqual(['100', '10', '10'])
  expect(errorsOf(first)[3]!.message).toMatch(/not run on this event/)
  const second = await detector.evaluate(makeBatch(EVENTS))
  expect(errorsOf(second).map((e) => [e.event, e.cause])).toEqual(EVENTS.map(({ n }) => [n, 'timeout']))
  expect(errorsOf(second)[0]).toMatchObject({ isOff: true, message: expect.stringMatching(/suspended for 60 s/) })
  expect(matchedEvents(second, 'Good')).toHaveLength(8)
})

test.each([
  ['swallows its interruption', 'def rule(event):\n  try:\n    while True: pass\n  except BaseException: return False'],
  [
    'hangs in what is cleared away',
    'class C:\n  def __del__(self):\n    while True: pass\ndef rule(event):\n  c = C()\n  return False',
  ],
  ['hangs in title()', 'def rule(event): return True\ndef title(event):\n  while True: pass'],
  [
    'returns a text that hangs when it is cleared away',
    'class S(str):\n  def __str__(self): return self\n  def __del__(self):\n    while True: pass\ndef rule(event): return True\ndef title(event): return S()',
  ],
])('a rule that %s is reported, and soon suspended', async (_, code) => {
  const detector = await detect([makeRule('Slow', code), GOOD], 100)
  const findings = await detector.evaluate(makeBatch(EVENTS))
  expect(errorsOf(findings).map((e) => [e.ruleId, e.event, e.cause])).toEqual(EVENTS.map(({ n }) => ['Slow', n, 'timeout']))
  expect(matchedEvents(findings, 'Good')).toHaveLength(8)
  expect(errorsOf(await detector.evaluate(makeBatch([{ n: 0 }])))[0]!.message).toMatch(/suspended for 60 s/)
})

test.each([
  [
    'writes into the engine’s own lists',
    "import sys\ndef rule(event):\n  sys._getframe(2).f_locals['rows'].append('x')\n  return False",
  ],
  [
    'hangs when the events are cleared away',
    'import weakref\nK = []\ndef rule(event):\n  K.append(weakref.ref(event, hang))\n  return False\ndef hang(ref):\n  while True: pass',
  ],
  [
    'leaves a profiler behind',
    "import sys, builtins\ndef p(frame, what, arg):\n  if what == 'return' and frame.f_code.co_name == 'judge': builtins.ascii = object()\ndef rule(event):\n  sys.setprofile(p)\n  return False",
  ],
])('a rule that %s costs the others nothing', async (_, code) => {
  const detector = await detect([makeRule('Before', 'def rule(event): return True'), makeRule('Bad', code), GOOD], 300)
  const findings = await detector.evaluate(makeBatch(EVENTS))
  for (const id of ['Before', 'Good']) expect(matchedEvents(findings, id)).toHaveLength(8)
  expect(new Set(errorsOf(findings).map((e) => e.ruleId))).toEqual(new Set(['Bad']))
})

test('a rule that ends the child on every event is left out after three, visibly', async () => {
  const detector = await detect([makeRule('Dies', 'import os\ndef rule(event): os._exit(1)'), GOOD])
  const findings = await detector.evaluate(makeBatch(EVENTS))
  expect(errorsOf(findings).map((e) => [e.event, e.cause])).toEqual(EVENTS.map(({ n }) => [n, 'crash']))
  expect(errorsOf(findings)[7]!.message).toMatch(/suspended for 60 s, then retried: it ended the sandbox/)
  expect(matchedEvents(findings, 'Good')).toHaveLength(8)
})

test('a child that is killed from outside costs only time', async () => {
  const detector = await detect([GOOD, makeRule('Sleepy', 'import time\ndef rule(event):\n  time.sleep(0.02)\n  return False')])
  const under = detector.evaluate(makeBatch(Array.from({ length: 50 }, (_, n) => ({ n }))))
  const { pid } = detector
  process.kill(pid!, 'SIGKILL')
  const findings = await under
  expect(matchedEvents(findings, 'Good')).toHaveLength(50)
  expect(errorsOf(findings)).toEqual([])
  expect(detector.pid).not.toBe(pid)
})

test('an import that does not end, and one that ends the child, are errors of those rules', async () => {
  const detector = await detect([
    makeRule('Endless', 'while True: pass\ndef rule(event): return True'),
    makeRule('Stubborn', 'while True:\n  try:\n    while True: pass\n  except BaseException: pass'),
    makeRule('Dies', 'import os\nos._exit(1)\ndef rule(event): return True'),
    GOOD,
  ])
  expect(detector.setupErrors.map((e) => [e.ruleId, e.event, e.cause]).sort()).toEqual([
    ['Dies', -1, 'crash'],
    ['Endless', -1, 'timeout'],
    ['Stubborn', -1, 'timeout'],
  ])
  expect(matchedEvents(await detector.evaluate(makeBatch(EVENTS)), 'Good')).toHaveLength(8)
})

test.each([
  ['that does not end', 'while True: pass', 'timeout'],
  ['that cannot be interrupted', 'sum(range(10 ** 12))', 'import'],
  ['that ends the child', 'import os\nos._exit(1)', 'import'],
])(
  'a helper %s when it is imported is an error of the rules that import it, and is imported only once',
  async (_, code, cause) => {
    const importing = [1, 2, 3].map((n) => makeRule(`R${n}`, 'import evil\ndef rule(event): return True'))
    const content = {
      rules: [...importing, makeRule('Dies', 'import os\ndef rule(event): os._exit(1)'), GOOD],
      helpers: [makeHelper('evil', code)],
    }
    const detector = await python.create(content, { timeoutMs: 300, all: false })
    open.push(detector)
    expect(detector.setupErrors.map((e) => [e.ruleId, e.cause])).toEqual([
      ['R1', cause],
      ['R2', 'import'],
      ['R3', 'import'],
    ])
    for (const { message } of detector.setupErrors) expect(message).toContain('/root/helpers/evil.py')
    // The child is replaced; what it could not load is neither retried nor reported again.
    const findings = await detector.evaluate(makeBatch([{ n: 0 }]))
    expect(matchedEvents(findings, 'Good')).toEqual([0])
    expect(errorsOf(findings).map((e) => e.ruleId)).toEqual(['Dies'])
    expect(detector.setupErrors).toHaveLength(3)
  },
)

test.runIf(process.platform === 'linux')(
  'a slow rule that comes back in time keeps its child, and no other one stays',
  async () => {
    const detector = await detect([makeRule('Slow', 'import time\ndef rule(event):\n  time.sleep(0.5)\n  return True')], 1000)
    const { pid } = detector
    for (let n = 0; n < 2; n++) expect(matchesOf(await detector.evaluate(makeBatch([{ n }])))).toHaveLength(1)
    expect(detector.pid).toBe(pid)
    expect(children()).toEqual([pid])
  },
)

/** Living child processes of this one. */
function children(): number[] {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return ids.flatMap((id) => {
    try {
      const [state, parent] = readFileSync(`/proc/${id}/stat`, 'utf8').split(') ')[1]!.split(' ')
      return Number(parent) === process.pid && state !== 'Z' ? [Number(id)] : []
    } catch {
      return []
    }
  })
}

test('a title of ten megabytes is cut, a context of ten megabytes replaced', async () => {
  const detector = await detect(
    [
      makeRule(
        'Big',
        "def rule(event): return True\ndef title(event): return 'é' * 10_000_000\ndef alert_context(event): return {'a': 'x' * 10_000_000}",
      ),
    ],
    10_000,
  )
  const [match] = matchesOf(await detector.evaluate(makeBatch([{}])))
  expect(match!.title).toHaveLength(1000)
  expect(match!.alertContext).toMatch(/bigger than maximum/)
})

test('a subclass of str that lies about itself counts with its real text', async () => {
  const code = `
    class Liar(str):
        def __len__(self): return 1
        def __str__(self): return 5
    def rule(event): return True
    def title(event): return Liar('x' * 5000)
  `
  const [match] = matchesOf(await (await detect([makeRule('Liar', code)])).evaluate(makeBatch([{}])))
  expect(match!.title.length).toBeLessThanOrEqual(1000)
})

function matchedEvents(findings: readonly Finding[], ruleId: string): number[] {
  return matchesOf(findings)
    .filter((m) => m.ruleId === ruleId)
    .map((m) => m.event)
}
