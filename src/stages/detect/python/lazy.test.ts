import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

test('with `lazy` the first event that a rule must see starts the child, and load errors are reported once', async () => {
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

test.each([
  ['in one child', undefined],
  ['apart', ['/root/one', '/root/two']],
])(
  'with `lazy` a rule that cannot be loaded is reported at the end, even if no rule had to see an event: %s',
  async (_, apart) => {
    const compiledFolder = mkdtempSync(join(tmpdir(), 'caracal-lazy-'))
    const codeOf = (folder: string, code: string) =>
      ({ source: { language: 'python', file: `/root/${folder}/r.py`, code } }) as const
    const condition = "def rule(event): return event.get('n') == 1"
    const run = async (broken: string) => {
      const rules = [makeRule('One', '', codeOf('one', condition)), makeRule('Two', '', codeOf('two', `${broken}${condition}`))]
      const prefilter = { ruleErrors: 'matching', shadowEvery: 0 } as const
      const options = { timeoutMs: 5000, all: false, lazy: true, prefilter, compiledFolder, apart }
      const detector = await python.create({ rules, helpers: [] }, options)
      open.push(detector)
      expect(await detector.evaluate(batchOf('Other.Log', [{ n: 1 }]))).toEqual([])
      expect(await detector.unreported()).toEqual([])
      expect(await detector.evaluate(batchOf('Test.Log', [{ n: 2 }]))).toEqual([])
      const errors = await detector.unreported()
      expect(await detector.unreported()).toEqual([])
      return { errors: errors.map(({ ruleId, cause }) => [ruleId, cause]), started: detector.pids.length > 0 }
    }
    expect(await run('')).toEqual({ errors: [], started: true })
    // That they load is known from then on.
    expect(await run('')).toEqual({ errors: [], started: false })
    for (let i = 0; i < 2; i++) expect(await run('import nothing\n')).toEqual({ errors: [['Two', 'import']], started: true })
    rmSync(compiledFolder, { recursive: true })
  },
)
