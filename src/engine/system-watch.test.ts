import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { kindOf, type SystemProblem, systemProblem } from '../model/system-problem.ts'
import type { Check } from './checks/check.ts'
import { Problems } from './problems.ts'
import { SystemWatch } from './system-watch.ts'

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }))
afterEach(() => void vi.useRealTimers())

function world(checks: readonly Check[], refuses = () => false) {
  const problems = new Problems(Date.now)
  const raised: string[][] = []
  const watch = new SystemWatch({
    problems,
    checks,
    raise: async (all: readonly SystemProblem[]) => {
      if (refuses()) throw new Error('disk full')
      raised.push(all.map(({ what, key }) => `${what} ${key}`))
    },
    now: Date.now,
  })
  return { problems, raised, watch }
}

/** A check that reports `now`. */
function saying(now: { problems: readonly SystemProblem[] }): Check {
  return { name: 'a test', run: () => now.problems }
}

test('alerts are raised for problems that last as long as their kind requires, and not again each round', async () => {
  const now = { problems: [systemProblem('LakeDown', 'lake', 'down'), systemProblem('RuleOff', 'R', 'off')] }
  const { watch, raised } = world([saying(now)])
  await watch.start()
  await vi.advanceTimersByTimeAsync(5000)
  expect(raised).toEqual([['RuleOff R']])
  await vi.advanceTimersByTimeAsync(kindOf('LakeDown').afterMs - 10_000)
  expect(raised).toEqual([['RuleOff R']])
  await vi.advanceTimersByTimeAsync(10_000)
  expect(raised.at(-1)).toEqual(['LakeDown lake', 'RuleOff R'])
  const times = raised.length
  now.problems = [systemProblem('RuleOff', 'R', 'off, in other words')]
  await vi.advanceTimersByTimeAsync(5000)
  expect(raised.length).toBe(times + 1)
  await vi.advanceTimersByTimeAsync(50_000)
  expect(raised.length, 'the same problems within a minute').toBe(times + 1)
  await vi.advanceTimersByTimeAsync(15_000)
  expect(raised.length, 'once a minute, so that a reminder can be due').toBe(times + 2)
  now.problems = []
  await vi.advanceTimersByTimeAsync(120_000)
  expect(raised.length).toBe(times + 2)
  expect(await watch.current()).toEqual([])
  watch.stop()
})

test('a check that does not answer is itself a problem; others continue, and health does not wait for it', async () => {
  let isHanging = true
  const hanging: Check = { name: 'the spool', run: () => (isHanging ? new Promise(() => {}) : []) }
  const { watch } = world([hanging, saying({ problems: [systemProblem('RuleOff', 'R', 'off')] })])
  void watch.start()
  await vi.advanceTimersByTimeAsync(10_000)
  const health = watch.current()
  await vi.advanceTimersByTimeAsync(2000)
  expect((await health).map(({ what }) => what)).toEqual(['RuleOff'])
  await vi.advanceTimersByTimeAsync(20_000)
  const [stuck] = (await Promise.all([watch.current(), vi.advanceTimersByTimeAsync(2000)]))[0]
  expect([stuck!.what, stuck!.message]).toEqual(['PathStuck', 'Caracal cannot check the spool: no answer within 30 s'])
  isHanging = false
  await vi.advanceTimersByTimeAsync(60_000)
  expect((await watch.current()).map(({ what }) => what)).toEqual(['RuleOff'])
  watch.stop()
})

test('a check that throws, and alerts that cannot be written, are problems until they work again', async () => {
  let isBroken = true
  const failing: Check = {
    name: 'the disk',
    run() {
      if (isBroken) throw new Error('EIO')
      return [systemProblem('RuleOff', 'R', 'off')]
    },
  }
  const { watch, raised } = world([failing, saying({ problems: [systemProblem('DiskLow', '', 'low')] })], () => isBroken)
  await watch.start()
  await vi.advanceTimersByTimeAsync(5000)
  const messages = async () => (await watch.current()).map(({ message }) => message)
  expect(await messages()).toEqual([
    'Caracal cannot check the disk: EIO',
    'Alerts about Caracal itself cannot be written: disk full',
    'low',
  ])
  isBroken = false
  await vi.advanceTimersByTimeAsync(10_000)
  expect((await messages()).sort()).toEqual(['low', 'off'])
  expect(raised.at(-1)).toEqual(['DiskLow ', 'RuleOff R'].sort())
  watch.stop()
})
