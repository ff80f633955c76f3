import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { CacheWrite } from '../../../../model/match.ts'
import type { Rule } from '../../../../model/rule.ts'
import { loadCache, saveCacheWrites } from '../../../../state/cache.ts'
import { openState } from '../../../../state/db.ts'
import { PythonDetector } from '../detector.ts'
import { python } from '../index.ts'
import { CacheMirror } from '../judge/cache-mirror.ts'
import { Runtime } from '../judge/runtime.ts'
import { errorsOf, makeBatch, makeRule, makeTest, matchesOf } from '../rule.fixture.ts'
import { createRuleSet } from '../rules.ts'
import { CompiledCode } from './compiled-code.ts'
import type { EvaluateHeader, Request } from './protocol.ts'
import type { Sandbox } from './sandbox.ts'
import { startSandbox } from './snapshot.ts'

// Each case replaces several children.
vi.setConfig({ testTimeout: 300_000 })

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

const BEFORE = makeRule('Before', 'def rule(event): return True')
const BAD = makeRule('Bad', 'def rule(event): return True')
const COUNTS = makeRule(
  'Counts',
  `
    from panther_detection_helpers.caching import increment_counter
    def rule(event): return True
    def title(event): return str(increment_counter('seen'))
  `,
)
const RULES = [BEFORE, BAD, COUNTS]
const TWO = makeBatch([{ n: 0 }, { n: 1 }])

type Answer = { rows: unknown[]; seconds: unknown; cacheWrites: unknown[] }

/** A real child whose answers are modified in transit whenever rule `Bad` has been judged. */
async function lying(change: (answer: Answer, bad: number) => unknown): Promise<Sandbox> {
  const sandbox = await startSandbox()
  const request = sandbox.request.bind(sandbox)
  sandbox.request = async (frames, ...rest) => {
    const bytes = await request(frames, ...rest)
    const sent: Request = frames.at(-1)![0]
    if (sent.kind !== 'evaluate') return bytes
    const bad = (JSON.parse(sent.header) as EvaluateHeader).rules.indexOf(RULES.indexOf(BAD))
    if (bad < 0) return bytes
    const text = new TextDecoder().decode(bytes)
    return new TextEncoder().encode(JSON.stringify(change(JSON.parse(text) as Answer, bad)))
  }
  return sandbox
}

function row(make: (bad: number) => unknown) {
  return (answer: Answer, bad: number) => ({ ...answer, rows: [...answer.rows.filter((_, i) => i !== 2 * bad), make(bad)] })
}

test.each([
  ['a message that is no text', row((bad) => [0, bad, 'exception', 5])],
  ['rule index 77', row(() => [0, 77, 'exception', 'x'])],
  ['title: 5', row((bad) => [0, bad, { title: 5 }, {}])],
  ['destinations: 5', row((bad) => [0, bad, { destinations: 5 }, {}])],
  ['values null', row((bad) => [0, bad, null, {}])],
  ['severity BOGUS', row((bad) => [0, bad, { severity: 'BOGUS' }, {}])],
  ['event -1', row((bad) => [-1, bad, {}, {}])],
  ['event 99', row((bad) => [99, bad, {}, {}])],
  ['an alert_context that is no JSON', row((bad) => [0, bad, { alert_context: 'x' }, {}])],
  ['a cache write that is no JSON', (answer: Answer) => ({ ...answer, cacheWrites: [['evil', 'this is not json']] })],
  ['nothing at all', () => null],
])('an answer with %s is an error of its rule; the others and the next batch are judged', async (_, change) => {
  const runtime = new Runtime(
    createRuleSet({ rules: RULES, helpers: [] }, false),
    10_000,
    CompiledCode.open(undefined, []),
    new CacheMirror([]),
    () => lying(change),
  )
  const detector = new PythonDetector(createRuleSet({ rules: RULES, helpers: [] }, false), runtime)
  open.push(() => detector.close())
  const writes: CacheWrite[] = []
  for (const titles of [
    ['1', '2'],
    ['3', '4'],
  ]) {
    const findings = await detector.evaluate({ ...TWO, onCacheWrites: (all) => void writes.push(...all) })
    expect(errorsOf(findings).map(({ ruleId, event, cause }) => [ruleId, event, cause])).toEqual([
      ['Bad', 0, 'crash'],
      ['Bad', 1, 'crash'],
    ])
    expect(errorsOf(findings)[0]!.message).toMatch(/Bad\.py: .*the Python child returned a malformed response/)
    expect(matchesOf(findings).map(({ ruleId, event }) => [ruleId, event])).toEqual([
      ['Before', 0],
      ['Counts', 0],
      ['Before', 1],
      ['Counts', 1],
    ])
    expect(titlesOf(findings)).toEqual(titles)
  }
  expect(writes.map(({ key }) => key)).toEqual(['seen', 'seen'])
})

const POISON = `
  from panther_detection_helpers import caching
  def rule(event):
      caching.kv_table().changed['evil'] = 'this is not json'
      return True
`

test.each([
  ['while it judges', POISON],
  ['while it is imported', `${POISON}\n  rule(None)\n`],
])('a rule that writes nonsense to the cache %s gets an error itself, also after a restart', async (_, code) => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-poison-'))
  open.push(() => rmSync(folder, { recursive: true }))
  const rules = [BEFORE, makeRule('Poison', code), COUNTS]
  for (const titles of [
    [
      ['1', '2'],
      ['3', '4'],
    ],
    [
      ['5', '6'],
      ['7', '8'],
    ],
  ]) {
    const db = await openState(folder)
    const detector = await start(rules, () => loadCache(db, 0))
    for (const expected of titles) {
      const findings = await detector.evaluate({ ...TWO, onCacheWrites: (writes) => void kept.push(...writes) })
      const wrong = [...detector.setupErrors, ...errorsOf(findings)]
      expect(new Set(wrong.map(({ ruleId }) => ruleId))).toEqual(new Set(['Poison']))
      expect(wrong[0]!.message).toMatch(/Poison\.py.*evil/)
      expect(titlesOf(findings)).toEqual(expected)
      await db.transaction().execute((tx) => saveCacheWrites(tx, kept.splice(0), 0))
    }
    await detector.close()
    await db.destroy()
  }
})

const kept: CacheWrite[] = []

test('a unit test whose answer is malformed fails, and the others do not', async () => {
  const rules = [BEFORE, makeRule('Bad', "import re\ndef rule(event): return True\ndef dedup(event): return 'x'")]
  const set = createRuleSet({ rules, helpers: [] }, false)
  const runtime = new Runtime(set, 10_000, CompiledCode.open(undefined, []), new CacheMirror([]), async () => {
    const sandbox = await startSandbox()
    const request = sandbox.request.bind(sandbox)
    sandbox.request = async (...all) => {
      const text = new TextDecoder().decode(await request(...all))
      return new TextEncoder().encode(
        text.replaceAll('"dedup": "', '"dedup": 5, "x": "').replaceAll('"dedup":"', '"dedup":5,"x":"'),
      )
    }
    return sandbox
  })
  const detector = new PythonDetector(set, runtime)
  open.push(() => detector.close())
  const [before, bad, again] = await Promise.all(['Before', 'Bad', 'Before'].map((id) => detector.test(id, makeTest({ n: 1 }))))
  expect(bad!.errors['detection']).toMatch(/malformed response/)
  for (const run of [before, again]) expect(run).toMatchObject({ out: { detection: 'true' }, errors: {} })
})

async function start(rules: Rule[], load: () => ReturnType<typeof loadCache>): Promise<PythonDetector> {
  const detector = await python.create({ rules, helpers: [] }, { timeoutMs: 10_000, all: false, cache: { load } })
  open.push(() => detector.close())
  return detector
}

function titlesOf(findings: Parameters<typeof matchesOf>[0]): string[] {
  return matchesOf(findings)
    .filter(({ ruleId }) => ruleId === 'Counts')
    .map(({ title }) => title)
}
