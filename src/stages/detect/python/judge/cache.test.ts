import { afterEach, expect, test, vi } from 'vitest'
import type { LimitHit } from '../../../../model/limit.ts'
import type { CacheEntry, CacheWrite } from '../../../../model/match.ts'
import type { PythonDetector } from '../detector.ts'
import { python } from '../index.ts'
import { errorsOf, makeBatch, makeRule, makeTest, matchesOf } from '../rule.fixture.ts'

vi.setConfig({ testTimeout: 120_000 })

/** Evaluates the expression in an event and returns the result as the title. */
const CALLS = makeRule(
  'Calls',
  `
  import time
  from collections.abc import Mapping
  from panther_detection_helpers import caching
  from panther_detection_helpers.caching import *

  def rule(event):
      global answer
      try:
          answer = eval(event['do'])
      except (TypeError, ValueError) as error:
          answer = type(error)
      return True

  def title(event):
      if isinstance(answer, set):
          return str(sorted(answer))
      return answer.__name__ if isinstance(answer, type) else str(answer)
`,
)

const open: PythonDetector[] = []
afterEach(async () => {
  for (const detector of open.splice(0)) await detector.close()
})

async function detect(entries: readonly CacheEntry[] = [], rules = [CALLS]): Promise<PythonDetector> {
  const cache = { load: async () => entries }
  const detector = await python.create({ rules, helpers: [] }, { timeoutMs: 30_000, all: false, cache })
  open.push(detector)
  return detector
}

/** Runs calls one after the other in one batch; returns their results and changes. */
async function call(detector: PythonDetector, calls: readonly string[]): Promise<{ results: string[]; writes: CacheWrite[] }> {
  const writes: CacheWrite[] = []
  const batch = makeBatch(calls.map((text) => ({ do: text })))
  const findings = await detector.evaluate({ ...batch, onCacheWrites: (list) => writes.push(...list) })
  expect(errorsOf(findings)).toEqual([])
  return { results: matchesOf(findings).map(({ title }) => title), writes }
}

// Calls in order, each with its result.
const STEPS: readonly (readonly [string, string])[] = [
  ["get_counter('c')", '0'],
  ["increment_counter('c')", '1'],
  ["increment_counter('c', 5)", '6'],
  ["get_counter('c', force_ttl_check=True)", '6'],
  ["increment_counter('c', 1, 0)", '7'],
  ["get_counter('c')", '0'],
  ["increment_counter('c', 2)", '2'],
  ["reset_counter('c')", 'None'],
  ["get_counter('c')", '0'],
  ["get_string_set('s')", '[]'],
  ["put_string_set('s', ['b', 'a', 'a'])", 'None'],
  ["get_string_set('s')", "['a', 'b']"],
  ["add_to_string_set('s', 'xyz')", "['a', 'b', 'xyz']"],
  ["add_to_string_set('s', {'d', 'e'})", "['a', 'b', 'd', 'e', 'xyz']"],
  ["add_to_string_set('s', [])", "['a', 'b', 'd', 'e', 'xyz']"],
  ["remove_from_string_set('s', ['a', 'b'])", "['d', 'e', 'xyz']"],
  ["remove_from_string_set('s', 'xyz')", "['d', 'e']"],
  ["get_string_set('s').add('changed outside')", 'None'],
  ["get_string_set('s')", "['d', 'e']"],
  ["check_account_age('s')", 'True'],
  ["check_account_age('')", 'False'],
  ['check_account_age(7)', 'False'],
  ["set_key_expiration('s', '1000000001')", 'None'],
  ["get_string_set('s')", '[]'],
  ["check_account_age('s')", 'False'],
  ["add_to_string_set('s', 'new')", "['new']"],
  ["put_string_set('s', [])", 'None'],
  ["get_string_set('s')", '[]'],
  ["put_string_set('s', [1])", 'TypeError'],
  ["get_dictionary('d')", '{}'],
  ["put_dictionary('d', {'a': [1.0, None, 'é'], 'big': 2 ** 70})", 'None'],
  ["get_dictionary('d')", "{'a': [1.0, None, 'é'], 'big': 1180591620717411303424}"],
  ["put_dictionary('d', [1])", 'TypeError'],
  ["put_dictionary('d', {'a': {1}})", 'ValueError'],
  ["put_dictionary('d', {'event': event})", 'None'],
  ["get_dictionary('d')['event']['do']", "put_dictionary('d', {'event': event})"],
  ['increment_counter("")', 'ValueError'],
  ["increment_counter('k' * 2049)", 'ValueError'],
  ["put_dictionary('d', {'a': 'x' * 500_000})", 'ValueError'],
  ["[evaluate_threshold('t', 3) for _ in range(7)]", '[False, False, True, False, False, True, False]'],
  [
    "increment_counter('day', 1, str(int(time.time()) + 86400)) and round(caching.kv_table().get('day').expires - time.time(), -2)",
    '86400.0',
  ],
  ["increment_counter('week', 1, 'a week') and round((caching.kv_table().get('week').expires - time.time()) / 86400)", '90'],
]

test('counters, string sets, dictionaries and expiries', async () => {
  const detector = await detect()
  const { results } = await call(
    detector,
    STEPS.map(([text]) => text),
  )
  expect(results).toEqual(STEPS.map(([, result]) => result))
})

test('the changes of a batch are reported once, as of the end of the batch', async () => {
  const detector = await detect()
  const first = await call(detector, [
    "increment_counter('c')",
    "increment_counter('c')",
    "put_string_set('s', ['\\0', '\\ud800'])",
  ])
  expect(first.writes.map(({ key }) => key)).toEqual(['c', 's'])
  expect(JSON.parse(first.writes[0]!.entry!)).toMatchObject({ counter: 2 })
  expect(first.writes[0]).toHaveProperty('expiresMs', JSON.parse(first.writes[0]!.entry!).expires * 1000)
  const second = await call(detector, ["get_counter('c')", "reset_counter('c')", "increment_counter('z')", "reset_counter('z')"])
  expect(second.results[0]).toBe('2')
  expect(second.writes).toEqual([{ key: 'c', entry: undefined }])
  expect((await call(detector, ["get_counter('c')"])).writes).toEqual([])
})

test('a detector begins with the stored entries; batches that were not stored have no effect', async () => {
  const before = await detect()
  const { writes } = await call(before, ["increment_counter('c')", "put_string_set('s', ['a'])"])
  await call(before, ["increment_counter('c')", "put_string_set('lost', ['a'])"])
  const kept = writes.filter((write): write is CacheEntry => write.entry !== undefined)
  const after = await detect(kept)
  const { results } = await call(after, ["increment_counter('c')", "get_string_set('s')", "get_string_set('lost')"])
  expect(results).toEqual(['2', "['a']", '[]'])
})

test('the death of a child loses nothing, and earlier writes of the batch are not repeated', async () => {
  const detector = await detect()
  await call(detector, ["increment_counter('c')", "put_string_set('s', ['a'])", "increment_counter('gone')"])
  await call(detector, ["reset_counter('gone')"])
  const { pid } = detector
  const writes: CacheWrite[] = []
  const calls = ["increment_counter('c')", "__import__('os')._exit(1)", "increment_counter('c')", "get_counter('gone')"]
  const findings = await detector.evaluate({
    ...makeBatch(calls.map((text) => ({ do: text }))),
    onCacheWrites: (list) => writes.push(...list),
  })
  expect(detector.pid).not.toBe(pid)
  expect(errorsOf(findings)).toMatchObject([{ event: 1, cause: 'crash' }])
  expect(matchesOf(findings).map(({ title }) => title)).toEqual(['2', '3', '0'])
  expect(writes).toMatchObject([{ key: 'c', entry: expect.stringContaining('"counter":3') }])
  expect((await call(detector, ["get_string_set('s')"])).results).toEqual(["['a']"])
})

test('every unit test begins with an empty cache and leaves no entries', async () => {
  const detector = await detect()
  await call(detector, ["increment_counter('c')"])
  for (let i = 0; i < 2; i++) {
    const run = await detector.test('Calls', makeTest({ do: "increment_counter('c') + increment_counter('c')" }))
    expect(run.out).toEqual({ detection: 'true', title: '"3"' })
  }
  expect(await call(detector, ["increment_counter('c')"])).toMatchObject({ results: ['2'], writes: [{ key: 'c' }] })
})

/** Writes the number of keys that an event specifies, with names that begin with `prefix`. */
const FLOOD = makeRule(
  'Flood',
  `
  from panther_detection_helpers.caching import put_dictionary, increment_counter

  def rule(event):
      for i in range(event.get('small', 0)):
          increment_counter(f"{event['prefix']}{i}")
      for i in range(event.get('large', 0)):
          put_dictionary(f"{event['prefix']}{i}", {'a': 'x' * 400_000}, event.get('until', 3600))
      return False
`,
)
const SLOW = makeRule(
  'Slow',
  `
  from panther_detection_helpers.caching import increment_counter

  def rule(event):
      return increment_counter('slow') == 5
`,
)

/** The findings of a batch, and the number of entries that rules lost. */
async function flood(detector: PythonDetector, events: readonly object[]) {
  const lost: LimitHit[] = []
  const writes: CacheWrite[] = []
  const onCacheWrites = (changed: readonly CacheWrite[], limits: readonly LimitHit[]) => {
    writes.push(...changed)
    lost.push(...limits)
  }
  const findings = await detector.evaluate({ ...makeBatch(events), onCacheWrites })
  expect(errorsOf(findings)).toEqual([])
  return { lost, writes, matches: matchesOf(findings).map(({ ruleId }) => ruleId) }
}

test.each([
  ['many', { small: 12_000 }, 10_000],
  ['large', { large: 15 }, 10],
])(
  'a rule that writes %s entries loses its oldest ones; another that counts slowly reaches its threshold',
  async (_, event, kept) => {
    const detector = await detect([], [FLOOD, SLOW])
    const all: CacheWrite[] = []
    for (let i = 0; i < 5; i++) {
      const { matches, lost, writes } = await flood(detector, [{ ...event, prefix: `${i}-` }])
      all.push(...writes)
      expect(matches).toEqual(i === 4 ? ['Slow'] : [])
      const written = Object.values(event)[0]!
      expect(lost).toEqual([{ ruleId: 'Flood', what: 'cache', n: i === 0 ? written - kept : written }])
    }
    const held = new Map(all.map((write) => [write.key, write.entry]))
    expect([...held.values()].filter((entry) => entry?.includes('"Flood"'))).toHaveLength(kept)
    expect(held.get(`4-${Object.values(event)[0]! - 1}`)).toBeDefined()
  },
)

test('if all shares together are too large, the largest one is reduced', async () => {
  const floods = Array.from({ length: 9 }, (_, i) => ({ ...FLOOD, id: `Flood${i}`, logTypes: [`Flood.${i}`] }))
  const detector = await detect([], [...floods, SLOW])
  expect((await flood(detector, [{}, {}, {}, {}])).matches).toEqual([])
  let lost = 0
  for (const [i] of floods.entries()) {
    const onCacheWrites = (_: unknown, limits: readonly LimitHit[]) => {
      for (const { ruleId, n } of limits) lost += Number(ruleId.startsWith('Flood')) * n
    }
    await detector.evaluate({ ...makeBatch([{ large: 10, prefix: `${i}-` }], `Flood.${i}`), onCacheWrites })
  }
  expect(lost).toBe(9 * 10 - 83)
  expect((await flood(detector, [{}])).matches).toEqual(['Slow'])
})

test('a key belongs to the rule that wrote it last, also in a detector that begins with stored entries', async () => {
  const before = await detect([], [FLOOD, SLOW])
  const { writes } = await flood(before, [{ small: 9_999, prefix: 'old' }, {}, {}])
  const kept = writes.filter((write): write is CacheEntry => write.entry !== undefined)
  const taking = { ...SLOW, source: { ...SLOW.source, code: SLOW.source.code.replace("'slow'", "'old0'") } }
  const after = await detect(kept, [FLOOD, taking])
  expect((await flood(after, [{}])).lost).toEqual([])
  expect((await flood(after, [{ small: 2, prefix: 'new' }])).lost).toEqual([])
  expect((await flood(after, [{ small: 10_000, prefix: 'newer' }])).lost).toEqual([{ ruleId: 'Flood', what: 'cache', n: 10_000 }])
})

test('expired entries are removed before any others', async () => {
  const detector = await detect([], [FLOOD])
  await flood(detector, [{ large: 3, prefix: 'live' }])
  expect((await flood(detector, [{ large: 7, prefix: 'expired', until: 1_000_000_001 }])).lost).toEqual([])
  expect((await flood(detector, [{ large: 7, prefix: 'new' }])).lost).toEqual([])
  expect((await flood(detector, [{ large: 1, prefix: 'more' }])).lost).toEqual([{ ruleId: 'Flood', what: 'cache', n: 1 }])
})

test('an entry that a rule writes again is last among the changes', async () => {
  const { writes } = await call(await detect(), ["increment_counter('a')", "increment_counter('b')", "increment_counter('a')"])
  expect(writes.map(({ key }) => key)).toEqual(['b', 'a'])
})
