import { afterEach, expect, test, vi } from 'vitest'
import { PythonDetector } from '../detector.ts'
import { errorsOf, makeBatch, makeRule, matchesOf } from '../rule.fixture.ts'
import { createRuleSet } from '../rules.ts'
import { CompiledCode } from '../sandbox/compiled-code.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { startSandbox } from '../sandbox/snapshot.ts'
import { CacheMirror } from './cache-mirror.ts'
import { Retries } from './retries.ts'
import { Runtime } from './runtime.ts'

vi.setConfig({ testTimeout: 300_000 })

const open: PythonDetector[] = []
afterEach(async () => {
  for (const detector of open.splice(0)) await detector.close()
})

/** Scheduled calls with their delays in ms. */
class Clock {
  readonly waiting: { readonly ms: number; readonly call: () => void }[] = []

  later = (ms: number, call: () => void) => {
    const entry = { ms, call }
    this.waiting.push(entry)
    return () => void this.waiting.splice(this.waiting.indexOf(entry), 1)
  }

  /** Runs the scheduled call. */
  pass(): void {
    this.waiting.shift()!.call()
  }
}

test('it is retried with a doubling delay up to an hour, which is reset by success', async () => {
  const clock = new Clock()
  const outcomes = [...Array(10).fill('no'), 'yes', 'fails', 'no']
  let left = true
  const delays: number[] = []
  const retries = new Retries(
    () => left,
    async () => {
      const outcome = outcomes.shift()
      if (outcome === 'fails') throw new Error('no child')
      return outcome === 'yes'
    },
    clock.later,
  )
  retries.plan()
  retries.plan()
  while (outcomes.length > 0) {
    await vi.waitFor(() => expect(clock.waiting).toHaveLength(1))
    delays.push(clock.waiting[0]!.ms / 1000)
    if (outcomes.length === 1) left = false
    clock.pass()
  }
  expect(delays).toEqual([15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 15, 30])
  await new Promise(setImmediate)
  expect(clock.waiting).toEqual([])
})

const GOOD = makeRule('Good', 'def rule(event): return True')
const LATE = makeRule('Late', 'def rule(event): return True')
const BROKEN = makeRule('Broken', 'import nothing\ndef rule(event): return True')
const RULES = [GOOD, LATE, BROKEN]

/** A real child; `isSlow`: importing `Late` took it too long. */
async function child(isSlow: boolean, signal?: AbortSignal): Promise<Sandbox> {
  const sandbox = await startSandbox(signal)
  const request = sandbox.request.bind(sandbox)
  sandbox.request = async (frames, ...rest) => {
    const bytes = await request(frames, ...rest)
    if (!isSlow || frames.at(-1)![0].kind !== 'load') return bytes
    const answer = JSON.parse(new TextDecoder().decode(bytes)) as { errors: unknown[] }
    answer.errors.push([RULES.indexOf(LATE), 'timeout', 'Late.py: Timeout: took longer than 1000 ms of processor time'])
    return new TextEncoder().encode(JSON.stringify(answer))
  }
  return sandbox
}

test('a rule that failed to load for lack of time is on once it loads, and the events it missed are counted', async () => {
  const clock = new Clock()
  const slow = [true, true, false]
  const changes: string[][] = []
  const set = createRuleSet({ rules: RULES, helpers: [] }, false)
  const runtime = new Runtime(set, 1000, CompiledCode.open(undefined, []), new CacheMirror([]), (signal) =>
    child(slow.shift()!, signal),
  )
  await runtime.ready()
  const onOff = () => void changes.push(detector.off().map(({ ruleId }) => ruleId))
  const detector = new PythonDetector(set, runtime, { onOff, later: clock.later })
  open.push(detector)
  const judge = async () => {
    const findings = await detector.evaluate(makeBatch([{ n: 0 }, { n: 1 }]))
    expect(errorsOf(findings)).toEqual([])
    return [...new Set(matchesOf(findings).map(({ ruleId }) => ruleId))]
  }
  expect(detector.setupErrors.map(({ ruleId }) => ruleId)).toEqual(['Broken', 'Late'])
  expect(await judge()).toEqual(['Good'])
  const [broken, late] = detector.off()
  expect(broken).toMatchObject({ ruleId: 'Broken', cause: 'import', missed: 2, retryMs: undefined })
  expect(late).toMatchObject({ ruleId: 'Late', cause: 'timeout', missed: 2, retryMs: expect.any(Number) })
  const { pid } = detector

  // The first attempt fails in the same way: the child that judges continues.
  clock.pass()
  await vi.waitFor(() => expect(clock.waiting.map(({ ms }) => ms)).toEqual([30_000]), 60_000)
  expect(await judge()).toEqual(['Good'])
  expect(detector.pid).toBe(pid)
  expect(changes).toEqual([])

  clock.pass()
  await vi.waitFor(() => expect(changes).toEqual([['Broken']]), 60_000)
  expect(await judge()).toEqual(['Good', 'Late'])
  expect(detector.off()).toMatchObject([{ ruleId: 'Broken', missed: 6 }])
  expect(detector.pid).not.toBe(pid)
  // The remaining items would fail in the same way again.
  expect(clock.waiting).toEqual([])
})

test('a suspended rule is off until its penalty is over, and that is reported', async () => {
  const clock = new Clock()
  const poison = makeRule(
    'Poison',
    `
from panther_detection_helpers import caching
def rule(event):
    caching.kv_table().changed['evil'] = 'this is not json'
    return True
`,
  )
  const set = createRuleSet({ rules: [GOOD, poison], helpers: [] }, false)
  const runtime = new Runtime(set, 5000, CompiledCode.open(undefined, []), new CacheMirror([]), startSandbox)
  await runtime.ready()
  const changes: string[][] = []
  const onOff = () => void changes.push(detector.off().map(({ ruleId }) => ruleId))
  const detector = new PythonDetector(set, runtime, { onOff, later: clock.later })
  open.push(detector)
  expect(detector.off()).toEqual([])
  for (let batch = 0; batch < 4; batch++) {
    const findings = await detector.evaluate(makeBatch([{ n: 0 }, { n: 1 }]))
    expect(matchesOf(findings).map(({ ruleId }) => ruleId)).toEqual(['Good', 'Good'])
  }
  expect(changes).toEqual([['Poison']])
  expect(detector.off()).toMatchObject([
    { ruleId: 'Poison', cause: 'crash', message: expect.stringMatching(/^suspended for 60 s, then retried: .*"evil"/) },
  ])
  const { retryMs, missed } = detector.off()[0]!
  expect(retryMs).toBeLessThanOrEqual(Date.now() + 60_001)
  expect(missed).toBeGreaterThan(0)

  const now = performance.now.bind(performance)
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => now() + 60_002)
  try {
    clock.pass()
    expect(changes).toEqual([['Poison'], []])
    expect(detector.off()).toEqual([])
  } finally {
    spy.mockRestore()
  }
})
