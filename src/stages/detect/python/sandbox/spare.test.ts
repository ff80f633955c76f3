import { expect, test, vi } from 'vitest'
import { python } from '../index.ts'
import { makeRule, makeTest } from '../rule.fixture.ts'
import { SandboxDied } from './sandbox.ts'
import { beginSandbox } from './snapshot.ts'
import { SpareSandbox } from './spare.ts'

vi.setConfig({ testTimeout: 120_000 })

test('the started child goes to the first caller, and the next caller gets another', async () => {
  const spare = await SpareSandbox.begin()
  const [first, second] = [await spare.take(), await spare.take()]
  expect(second.pid).not.toBe(first.pid)
  // Its new owner ends it.
  await spare.close()
  expect([first.alive, second.alive]).toEqual([true, true])
  await Promise.all([first.close(), second.close()])
})

test('a child that is not taken is ended', async () => {
  const ended = new AbortController()
  const { started } = await beginSandbox(ended.signal)
  const spare = new SpareSandbox(started, ended)
  const sandbox = await started
  await spare.close()
  expect(sandbox.alive).toBe(false)
  await spare.close()
})

test('a child that is not taken is ended even while it starts', async () => {
  const ended = new AbortController()
  const { started } = await beginSandbox(ended.signal)
  await new SpareSandbox(started, ended).close()
  await expect(started).rejects.toThrow(SandboxDied)
})

test('a prepared language creates detectors like any other', async () => {
  const prepared = await python.prepare()
  const content = { rules: [makeRule('R', 'def rule(event): return True')], helpers: [] }
  const detectors = await Promise.all([1, 2].map(() => prepared.create(content, { timeoutMs: 5000, all: false })))
  try {
    for (const detector of detectors) expect((await detector.test('R', makeTest({}))).out['detection']).toBe('true')
    expect(new Set(detectors.map(({ pids }) => pids[0])).size).toBe(2)
  } finally {
    await Promise.all(detectors.map((detector) => detector.close()))
    await prepared.close()
  }
})
