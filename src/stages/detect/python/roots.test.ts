import { afterEach, expect, test, vi } from 'vitest'
import type { CacheWrite } from '../../../model/match.ts'
import type { Rule } from '../../../model/rule.ts'
import type { Detector, DetectorOptions } from '../language.ts'
import { python } from './index.ts'
import { byRoot, RootsDetector } from './roots.ts'
import { errorsOf, makeBatch, makeHelper, makeRule, makeTest, matchesOf } from './rule.fixture.ts'

vi.setConfig({ testTimeout: 120_000 })

const open: Detector[] = []
afterEach(async () => {
  for (const detector of open.splice(0)) await detector.close()
})

/** A rule of a content folder. */
function ruleIn(root: string, id: string, code: string, extra: Partial<Rule> = {}): Rule {
  const rule = makeRule(id, code, extra)
  return {
    ...rule,
    file: `${root}/rules/${id}.yml`,
    source: { ...rule.source, file: `${root}/rules/${id}.py` } as Rule['source'],
  }
}

async function detect(
  rules: Rule[],
  options: Partial<DetectorOptions> = {},
  helpers = [makeHelper('shared', 'LIMIT = 1', '/a')],
) {
  const detector = await python.create(
    { rules, helpers },
    { timeoutMs: 2000, all: false, apart: ['/a', '/b', '/b/inner'], ...options },
  )
  open.push(detector)
  return detector
}

test('a rule belongs to the innermost content folder that it is below, or to none', () => {
  const rules = ['/a/x.py', '/b/inner/y.py', '/b/z.py', '/bb/z.py', '/a/v.py'].map((file) =>
    makeRule(file, '', { source: { language: 'python', file, code: '' } }),
  )
  const groups = byRoot(rules, ['/a', '/b', '/b/inner'])
  expect([...groups].map(([root, own]) => [root, own.map(({ id }) => id)])).toEqual([
    ['/a', ['/a/x.py', '/a/v.py']],
    ['/b/inner', ['/b/inner/y.py']],
    ['/b', ['/b/z.py']],
    ['', ['/bb/z.py']],
  ])
})

/** Changes the other rule's result through a name that a search of its code does not find. */
const HIDDEN = `
  def rule(event):
      getattr(event, '_'.join(['', 'container']))['n'] = 2
      return False
`
const VICTIM = "def rule(event): return event['n'] == 1\ndef title(event): return 'seen'"

test('rules of one content folder cannot reach those of another, and findings keep their order', async () => {
  const rules = [ruleIn('/a', 'First', VICTIM), ruleIn('/b', 'Bad', HIDDEN), ruleIn('/a', 'Last', VICTIM)]
  const found = async (detector: Detector) =>
    matchesOf(await detector.evaluate(makeBatch([{ n: 1 }, { n: 1 }]))).map((match) => `${match.event} ${match.ruleId}`)
  const apart = await detect(rules)
  expect(apart.pids).toHaveLength(2)
  expect(await found(apart)).toEqual(['0 First', '0 Last', '1 First', '1 Last'])
  // In one child they trust each other: docs/sandbox.md says so.
  const together = await detect(rules, { apart: undefined })
  expect(together.pids).toHaveLength(1)
  expect(await found(together)).toEqual(['0 First', '1 First'])
})

test('a content folder without enabled Python rules has no child', async () => {
  const disabled = ruleIn('/b', 'Off', VICTIM, { enabled: false })
  const detector = await detect([ruleIn('/a', 'On', VICTIM), disabled])
  expect(detector.pids).toHaveLength(1)
  expect(detector).not.toBeInstanceOf(RootsDetector)
})

const COUNT = `
  from panther_detection_helpers.caching import increment_counter, get_counter
  def rule(event):
      increment_counter('n')
      return True
  def title(event): return str(get_counter('n'))
`

test('all folders share one rule cache, also within a batch and after a child was replaced', async () => {
  const rules = [ruleIn('/a', 'A', COUNT), ruleIn('/b', 'B', COUNT)]
  const stored = { key: 'n', entry: '{"counter":10}', expiresMs: undefined }
  const detector = await detect(rules, { cache: { load: async () => [stored] } })
  const judge = async () => {
    const writes: CacheWrite[][] = []
    const batch = { ...makeBatch([{}]), onCacheWrites: (list: readonly CacheWrite[]) => void writes.push([...list]) }
    const findings = await detector.evaluate(batch)
    return {
      titles: matchesOf(findings).map(({ title }) => title),
      writes: writes.map((list) => list.map(({ key, entry }) => [key, (JSON.parse(entry!) as { counter: number }).counter])),
    }
  }
  expect(await judge()).toEqual({ titles: ['11', '12'], writes: [[['n', 12]]] })
  expect(await judge()).toEqual({ titles: ['13', '14'], writes: [[['n', 14]]] })
  process.kill(detector.pids![0]!, 'SIGKILL')
  expect(await judge()).toEqual({ titles: ['15', '16'], writes: [[['n', 16]]] })
})

test('setup errors, timings and unit tests cover all folders', async () => {
  const rules = [
    ruleIn('/a', 'A', 'import shared\ndef rule(event): return shared.LIMIT == 1'),
    ruleIn('/a', 'BrokenA', 'import nothing'),
    ruleIn('/b', 'B', 'def rule(event): return True'),
    ruleIn('/b', 'BrokenB', 'import nothing'),
  ]
  const detector = await detect(rules)
  expect(detector.setupErrors.map(({ ruleId }) => ruleId).sort()).toEqual(['BrokenA', 'BrokenB'])
  const findings = await detector.evaluate(makeBatch([{}]))
  expect(matchesOf(findings).map(({ ruleId }) => ruleId)).toEqual(['A', 'B'])
  expect(errorsOf(findings)).toEqual([])
  expect(detector.timings().map(({ ruleId, events }) => [ruleId, events])).toEqual([
    ['A', 1],
    ['B', 1],
  ])
  expect((await detector.test('B', makeTest({}))).out['detection']).toBe('true')
})

test('the prefilter works for the rules of each folder, at the first start from the first event on', async () => {
  const code = (n: number) => `def rule(event): return event.get('n') == ${n}`
  const rules = [ruleIn('/a', 'A', code(1)), ruleIn('/b', 'B', code(2))]
  const detector = await detect(rules, { prefilter: { ruleErrors: 'matching', shadowEvery: 0 } })
  const events = [{ n: 1 }, { n: 2 }, { n: 3 }]
  const findings = await detector.evaluate({ ...makeBatch(events), events })
  expect(matchesOf(findings).map(({ ruleId, event }) => [ruleId, event])).toEqual([
    ['A', 0],
    ['B', 1],
  ])
  expect(detector.timings().map(({ ruleId, events: seen }) => [ruleId, seen])).toEqual([
    ['A', 1],
    ['B', 1],
  ])
})
