import { afterEach, expect, test, vi } from 'vitest'
import { toNdjson } from '../ndjson.ts'
import { python } from './index.ts'
import { errorsOf, makeRule, matchesOf } from './rule.fixture.ts'

vi.setConfig({ testTimeout: 120_000 })

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const detector of open.splice(0)) await detector.close()
})

const batchOf = (logType: string, events: readonly { readonly n: number }[]) => ({
  logType,
  events,
  count: events.length,
  ndjson: toNdjson(events),
})

test('with `lazy` the first event that a rule must see starts the child, and tells what could not be loaded once', async () => {
  const rules = [
    makeRule('One', "def rule(event): return event.get('n') == 1"),
    makeRule('Broken', "import nothing\ndef rule(event): return event.get('n') == 1"),
  ]
  const prefilter = { ruleErrors: 'matching', shadowEvery: 0 } as const
  const detector = await python.create({ rules, helpers: [] }, { timeoutMs: 5000, all: false, lazy: true, prefilter })
  open.push(detector)
  expect(detector.setupErrors).toEqual([])
  expect(await detector.evaluate(batchOf('Other.Log', [{ n: 1 }]))).toEqual([])
  expect(await detector.evaluate(batchOf('Test.Log', [{ n: 2 }, { n: 3 }]))).toEqual([])
  expect(detector.pids).toEqual([])
  const first = await detector.evaluate(batchOf('Test.Log', [{ n: 2 }, { n: 1 }]))
  expect(matchesOf(first).map(({ ruleId, event }) => [ruleId, event])).toEqual([['One', 1]])
  expect(errorsOf(first).map(({ ruleId, event, cause }) => [ruleId, event, cause])).toEqual([['Broken', -1, 'import']])
  expect(detector.pids).toHaveLength(1)
  expect(errorsOf(await detector.evaluate(batchOf('Test.Log', [{ n: 1 }])))).toEqual([])
})
