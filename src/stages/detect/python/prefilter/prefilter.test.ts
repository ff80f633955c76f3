import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { DataModel } from '../../../../model/data-model.ts'
import type { JsonObject, JsonValue } from '../../../../model/json.ts'
import type { CacheWrite } from '../../../../model/match.ts'
import type { DetectionContent } from '../../../../model/rule.ts'
import type { Detector, PrefilterOptions } from '../../language.ts'
import { toNdjson } from '../../ndjson.ts'
import { createPrefilter } from '../../prefilter/prefilter.ts'
import type { PythonDetector } from '../detector.ts'
import { python } from '../index.ts'
import { makeHelper, makeRule, matchesOf } from '../rule.fixture.ts'
import { createRuleSet } from '../rules.ts'
import { readRules } from './conditions.ts'
import { CONSTRUCTS } from './prefilter.fixture.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const NAMES = "WANTED = ('x', 'y')\ndef is_wanted(event):\n    return event.get('a') in WANTED\n"
const MODEL: DataModel = {
  id: 'Model',
  displayName: undefined,
  enabled: true,
  logTypes: ['Test.Log'],
  file: '/root/models/model.yml',
  root: '/root',
  source: {
    file: '/root/models/model.py',
    code: "def get_kind(event):\n    if event.get('type') == 'Login':\n        return 'login'\n    return None\n",
  },
  mappings: [
    { name: 'who', path: '$.a.b' },
    { name: 'box', path: 'box' },
    { name: 'kind', method: 'get_kind' },
  ],
}
const CONTENT: DetectionContent = {
  rules: CONSTRUCTS.map(({ code }, at) => makeRule(`R${at}`, code)),
  helpers: [makeHelper('names', NAMES)],
  dataModels: [MODEL],
}
const OPTIONS: PrefilterOptions = { ruleErrors: 'matching', shadowEvery: 0 }

const open: Detector[] = []
afterAll(async () => {
  for (const detector of open) await detector.close()
})

async function detect(content: DetectionContent, prefilter?: PrefilterOptions): Promise<PythonDetector> {
  const detector = await python.create(content, { timeoutMs: 5000, all: false, ...(prefilter && { prefilter }) })
  open.push(detector)
  await detector.prefiltered
  return detector
}

const batchOf = (events: readonly JsonObject[]) => ({
  logType: 'Test.Log',
  events,
  count: events.length,
  ndjson: toNdjson(events),
})

describe('the condition that is read from a rule', () => {
  let candidates: (event: JsonObject) => readonly number[]
  beforeAll(async () => {
    const { byLogType, problems } = await readRules(createRuleSet(CONTENT, false), new AbortController().signal)
    expect(problems).toEqual([])
    const known = CONTENT.rules.map(({ id }) => byLogType.get('Test.Log')?.get(id))
    candidates = createPrefilter(known, 'matching').candidates
  })

  test.each(CONSTRUCTS.map((construct, at) => [construct.name, construct, at] as const))(
    '%s',
    (_name, { shown, kept = [] }, at) => {
      const isShown = (event: JsonObject) => candidates(event).includes(at)
      expect(shown.filter((event) => !isShown(event))).toEqual([])
      expect(kept.filter(isShown)).toEqual([])
    },
  )
})

// Few words, so that random events often satisfy the rules' conditions.
const NAMES_OF_FIELDS = [
  ...['a', 'A', 'b', 'B', 'c', 'd', 'n', 'name', 'NAME', 'who', 'list', 't', 'k', 'set', 'error', 'box', 'p', 'P', 'granted'],
  ...['type', 'free', 'p_udm', 'code', 'CODE'],
]
const WORDS = [
  'x',
  'y',
  'z',
  '',
  'root',
  'the root user',
  'KISS',
  'skıff',
  'ſkiﬀ',
  'Kiss',
  'block',
  '531',
  'True',
  'None',
  'Login',
]
const scalar = fc.constantFrom<JsonValue>(
  ...WORDS,
  0,
  1,
  1.5,
  2,
  6,
  7,
  531,
  true,
  false,
  null,
  'xylophone',
  'a/last',
  ' in ',
  'user-1@hostname',
)
const { event } = fc.letrec<{ value: JsonValue; event: JsonObject }>((tie) => ({
  value: fc.oneof({ weight: 6, arbitrary: scalar }, fc.array(tie('value'), { maxLength: 3 }), tie('event')),
  event: fc.dictionary(fc.constantFrom(...NAMES_OF_FIELDS), tie('value'), { maxKeys: 4, noNullPrototype: true }),
}))

test('random events lead to the same matches with and without the prefilter', async () => {
  const [filtered, full] = [await detect(CONTENT, OPTIONS), await detect(CONTENT)]
  let matches = 0
  const property = fc.asyncProperty(fc.array(event, { minLength: 200, maxLength: 400 }), async (events) => {
    const [some, all] = [await filtered.evaluate(batchOf(events)), await full.evaluate(batchOf(events))]
    matches += matchesOf(all).length
    expect(matchesOf(some)).toEqual(matchesOf(all))
  })
  await fc.assert(property, { seed: 4848, numRuns: 25 })
  expect(matches).toBeGreaterThan(1000)
})

test('with exact rule errors, errors are the same, too', async () => {
  const [filtered, full] = [await detect(CONTENT, { ...OPTIONS, ruleErrors: 'exact' }), await detect(CONTENT)]
  const events = fc.sample(event, { seed: 7, numRuns: 1000 })
  expect(await filtered.evaluate(batchOf(events))).toEqual(await full.evaluate(batchOf(events)))
})

test('an event that cannot be represented as an object is judged by every rule, and order and numbers of events are preserved', async () => {
  const detector = await detect(CONTENT, OPTIONS)
  const events = [{ q: 1 }, { name: 'x' }, { q: 1 }, { who: ['root'] }]
  const numbers = async (batch: Parameters<Detector['evaluate']>[0]) =>
    matchesOf(await detector.evaluate(batch)).map((match) => [match.event, match.ruleId])
  const { events: _unused, ...text } = batchOf(events)
  expect(await numbers(text)).toEqual(await numbers(batchOf(events)))
})

test('a rule is charged only for the events that it saw', async () => {
  const detector = await detect(
    { rules: [makeRule('One', "def rule(event):\n    return event.get('a') == 'x'\n")], helpers: [] },
    OPTIONS,
  )
  await detector.evaluate(batchOf([{ a: 'x' }, { a: 'y' }, { a: 'x' }]))
  expect(detector.timings().map(({ events }) => events)).toEqual([2])
})

test('sampling finds a rule with a wrong condition', async () => {
  // Covert changes to another module's constants cannot be read from either source.
  const hidden = makeRule('Hidden', 'import setup\n\ndef rule(event):\n    return False\n')
  const setup = makeHelper('setup', "import names\n\ntype(names).__setattr__(names, 'WANTED', 'y')\n")
  const victim = makeRule('Victim', "import names\n\ndef rule(event):\n    return event.get('a') == names.WANTED\n")
  const helper = makeHelper('names', "WANTED = 'x'\n")
  const detector = await detect({ rules: [hidden, victim], helpers: [helper, setup] }, { ...OPTIONS, shadowEvery: 2 })
  const findings = await detector.evaluate(batchOf([{ a: 'y' }, { a: 'y' }, { a: 'y' }]))
  expect(findings.map(({ kind, ruleId, event: at }) => [kind, ruleId, at])).toEqual([
    ['match', 'Victim', 1],
    ['error', 'Victim', 1],
  ])
  expect(matchesOf(await detector.evaluate(batchOf([{ a: 'y' }, { a: 'y' }]))).map(({ event: at }) => at)).toEqual([0, 1])
})

test.each<[string, PrefilterOptions | undefined]>([
  ['without a prefilter', undefined],
  ['with one', OPTIONS],
  ['with one of which every event is a sample', { ruleErrors: 'exact', shadowEvery: 1 }],
])('a rule does not run on events that its inline filters reject: %s', async (_name, prefilter) => {
  const code = `
    from panther_detection_helpers.caching import increment_counter

    def rule(event):
        return increment_counter('seen') + event['n'] > 0

    def title(event):
        return str(increment_counter('titles'))
  `
  const inlineFilter = { op: 'not', of: { op: 'exists', field: { kind: 'path', segments: ['noise'] } } } as const
  const rules = [makeRule('filtered', code, { inlineFilter }), makeRule('other', 'def rule(event): return True')]
  const detector = await detect({ rules, helpers: [] }, prefilter)
  const written: string[] = []
  const onCacheWrites = (writes: readonly CacheWrite[]) => {
    for (const { key, entry } of writes) written.push(`${key} ${JSON.parse(entry!).counter}`)
  }
  const findings = await detector.evaluate({ ...batchOf([{ n: 1 }, { noise: 1 }, { n: 2 }, { n: 3, noise: 1 }]), onCacheWrites })
  expect(findings.map(({ kind, ruleId, event }) => `${kind} ${ruleId} ${event}`)).toEqual([
    'match filtered 0',
    'match other 0',
    'match other 1',
    'match filtered 2',
    'match other 2',
    'match other 3',
  ])
  expect(written.sort()).toEqual(['seen 2', 'titles 2'])
  // Nor if only their text is available.
  const { events: _unused, ...text } = batchOf([{ n: 1, noise: 1 }])
  expect((await detector.evaluate(text)).map(({ ruleId }) => ruleId)).toEqual(['other'])
})
