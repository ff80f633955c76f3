import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import { packageRoot } from '../../../../util/entry.ts'
import { python } from '../index.ts'
import { makeBatch, makeRule, matchesOf } from '../rule.fixture.ts'

const engines: ChildProcess[] = []
afterEach(() => {
  for (const engine of engines.splice(0)) engine.kill('SIGKILL')
})

test('signals that reach the whole process group do not end a child', async () => {
  const detector = await python.create(
    { rules: [makeRule('R', 'def rule(event): return True')], helpers: [] },
    { timeoutMs: 5000, all: false },
  )
  try {
    const { pid } = detector
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid!, signal)
    expect(matchesOf(await detector.evaluate(makeBatch([{ n: 1 }])))).toHaveLength(1)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid!, signal)
    expect(matchesOf(await detector.evaluate(makeBatch([{ n: 1 }, { n: 2 }])))).toHaveLength(2)
    expect(detector.pid).toBe(pid)
  } finally {
    await detector.close()
  }
})

// `O_NONBLOCK` of `open(2)`; the kernel prints the flags of an open file in octal.
test.runIf(process.platform === 'linux')('an idle child blocks in the kernel instead of polling its input', async () => {
  const O_NONBLOCK = 0o4000
  const detector = await python.create(
    { rules: [makeRule('R', 'def rule(event): return True')], helpers: [] },
    { timeoutMs: 5000, all: false },
  )
  try {
    await detector.evaluate(makeBatch([{ n: 1 }]))
    const flags = [0, 1].map((fd) => {
      const info = readFileSync(`/proc/${detector.pid}/fdinfo/${fd}`, 'utf8')
      return Number.parseInt(/^flags:\s+(\d+)/m.exec(info)![1]!, 8) & O_NONBLOCK
    })
    expect(flags).toEqual([0, 0])
  } finally {
    await detector.close()
  }
})

test.each([
  ['idle', 'def rule(event): return True', 0],
  ['in a rule that never ends', 'def rule(event):\n    while True: pass', 1],
  [
    'in a rule that never ends and swallows everything',
    'def rule(event):\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass',
    1,
  ],
])('a child ends by itself when the engine is killed while it is %s', async (_, code, events) => {
  const rule = makeRule('R', code)
  const index = pathToFileURL(join(packageRoot(), 'dist/stages/detect/python/index.js')).href
  const script = `
    const { python } = await import(${JSON.stringify(index)})
    const detector = await python.create(${JSON.stringify({ rules: [rule], helpers: [] })}, { timeoutMs: 600_000, all: false })
    const ndjson = new TextEncoder().encode('{}\\n'.repeat(${events}))
    void detector.evaluate({ logType: 'Test.Log', ndjson, count: ${events} })
    process.stdout.write(String(detector.pid))
  `
  const engine = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  engines.push(engine)
  const [pid] = (await once(engine.stdout!, 'data')) as [Buffer]
  expect(isAlive(Number(pid))).toBe(true)
  engine.kill('SIGKILL')
  await vi.waitFor(() => expect(isAlive(Number(pid))).toBe(false), { timeout: 30_000, interval: 50 })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
