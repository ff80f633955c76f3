import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AlertWindow, type KnownGroup, MAX_INDICATORS } from '../../model/alert.ts'
import type { Decision } from '../../model/batch.ts'
import type { Event } from '../../model/event.ts'
import type { Match } from '../../model/match.ts'
import type { Rule } from '../../model/rule.ts'
import { type AlertStepResult, groupFindings, type Judged } from './step.ts'

const MINUTE = 60_000

function ruleOf(part: Partial<Rule> = {}): Rule {
  const texts = { severity: 'LOW' as const, description: '', reference: '', runbook: '', file: 'r.yml' }
  const lists = { logTypes: ['T'], tags: [], reports: {}, summaryAttributes: [], outputIds: [], tests: [] }
  const source = { language: 'python', file: 'r.py', code: '' }
  return {
    id: 'R',
    displayName: 'R',
    enabled: true,
    dedupPeriodMinutes: 60,
    threshold: 1,
    createAlert: true,
    source,
    ...texts,
    ...lists,
    ...part,
  }
}
const eventOf = (part: Partial<Event> = {}): Event => ({
  p_log_type: 'T',
  p_row_id: 'r',
  p_event_time: '2024-01-01T00:00:00Z',
  p_parse_time: '2024-01-01T00:00:00Z',
  p_source_id: 's',
  p_source_label: 's',
  p_schema_version: 1,
  ...part,
})
type Timed = Judged & { atMs: number }
function matchAt(atMs: number, part: Partial<Match> = {}, event: Event = eventOf()): Timed {
  const texts = { title: 't', dedup: 'd', description: '', reference: '', runbook: '' }
  const finding: Match = {
    kind: 'match',
    ruleId: 'R',
    event: 0,
    severity: 'HIGH',
    destinations: undefined,
    alertContext: undefined,
    functionErrors: {},
    ...texts,
    ...part,
  }
  return { finding, event, text: () => '{}', atMs }
}
const errorAt = (atMs: number): Timed => ({
  finding: { kind: 'error', ruleId: 'R', event: 0, cause: 'exception', message: 'KeyError\nTraceback' },
  event: eventOf(),
  text: () => '{}',
  atMs,
})

/** An in-memory state that stores copies, as the real one does. */
class Store {
  readonly windows = new Map<string, AlertWindow>()

  commit(decision: Decision<AlertStepResult>): AlertStepResult {
    const all = [...this.windows.values()].sort((a, b) => a.startMs - b.startMs || a.number - b.number)
    const groups = new Map<string, KnownGroup>()
    const crowds = new Map<string, number>()
    for (const { groupKey } of decision.groups) {
      const own = all.filter((window) => window.groupKey === groupKey)
      const open = own.filter(({ endMs }) => endMs > decision.fromMs).map((window) => structuredClone(window))
      groups.set(groupKey, { windows: open, nextNumber: Math.max(0, ...own.map(({ number }) => number)) + 1 })
    }
    for (const { ruleIds, fromMs, toMs } of decision.crowds ?? [])
      for (const ruleId of ruleIds)
        crowds.set(ruleId, all.filter((one) => one.ruleId === ruleId && one.endMs > fromMs && one.endMs <= toMs).length)
    const result = decision.decide({ groups, crowds })
    for (const window of result.windows) this.windows.set(window.alertId, structuredClone(window))
    return result
  }
}
/** Runs batches in sequence; each is a list of findings. */
async function run(batches: readonly (readonly Timed[])[], rule: Rule = ruleOf()) {
  const store = new Store()
  const opened: string[] = []
  for (const batch of batches) {
    const clock = { atMs: (item: Judged) => (item as Timed).atMs, nowMs: 7 }
    const result = store.commit(groupFindings(batch, new Map([['R', rule]]), clock))
    opened.push(...result.opened.map(({ alertId }) => alertId))
  }
  return { windows: [...store.windows.values()].sort((a, b) => a.startMs - b.startMs), opened }
}
const shape = ({ windows }: { windows: readonly AlertWindow[] }) =>
  windows.map(({ startMs, eventCount, opened }) => [startMs / MINUTE, eventCount, opened])
const minutes = (...list: number[]) => list.map((minute) => matchAt(minute * MINUTE))

test.each<[string, Timed[][], Partial<Rule>, [number, number, boolean][]]>([
  ['matches within the period are one alert', [minutes(0, 10), minutes(59)], {}, [[0, 3, true]]],
  [
    'the window does not slide',
    [minutes(0), minutes(50), minutes(70)],
    {},
    [
      [0, 2, true],
      [70, 1, true],
    ],
  ],
  [
    'the end of the window is exclusive',
    [minutes(0), [matchAt(60 * MINUTE - 1)], minutes(60)],
    {},
    [
      [0, 2, true],
      [60, 1, true],
    ],
  ],
  ['below the threshold nothing opens', [minutes(0, 1)], { threshold: 3 }, [[0, 2, false]]],
  ['at the threshold it opens, over batches', [minutes(0, 1), minutes(2)], { threshold: 3 }, [[0, 3, true]]],
  [
    'a threshold counts within its window only',
    [minutes(0, 1), minutes(60, 61)],
    { threshold: 3 },
    [
      [0, 2, false],
      [60, 2, false],
    ],
  ],
  ['a match a little before the one that began the group joins it', [minutes(10), minutes(9)], {}, [[10, 2, true]]],
  [
    'a match long before the window begins another one',
    [minutes(100), minutes(10), minutes(20)],
    {},
    [
      [10, 2, true],
      [100, 1, true],
    ],
  ],
  [
    'a late match joins the older window that covers its time',
    [minutes(0), minutes(70), minutes(30)],
    {},
    [
      [0, 2, true],
      [70, 1, true],
    ],
  ],
  [
    'a period of zero groups matches of the same moment',
    [minutes(0, 0, 1)],
    { dedupPeriodMinutes: 0 },
    [
      [0, 2, true],
      [1, 1, true],
    ],
  ],
  ['no alert is made when the rule says so', [minutes(0, 1)], { createAlert: false }, []],
])('%s', async (_, batches, rule, wanted) => {
  expect(shape(await run(batches, ruleOf(rule)))).toEqual(wanted)
})

test('other dedup strings and rule errors are separate groups; errors ignore threshold and CreateAlert', async () => {
  const { windows } = await run(
    [[matchAt(0), matchAt(0, { dedup: 'e' }), errorAt(0), errorAt(1)]],
    ruleOf({ threshold: 5, createAlert: true }),
  )
  expect(windows.map(({ body, eventCount, opened }) => [body.type, body.dedup, eventCount, opened])).toEqual([
    ['RULE', 'd', 1, false],
    ['RULE', 'e', 1, false],
    ['RULE_ERROR', 'R:error', 2, true],
  ])
  const silent = await run([[matchAt(0), errorAt(0)]], ruleOf({ createAlert: false }))
  expect(silent.windows.map(({ body }) => body.title)).toEqual(['Rule error in R: KeyError'])
})

test('an alert’s text is that of its first match, and its counts include all matches', async () => {
  const later = eventOf({ p_event_time: '2024-01-01T00:00:00.5Z', p_log_type: 'U', p_any_ip_addresses: ['1.1.1.1', '2.2.2.2'] })
  const { windows } = await run([
    [matchAt(0, { severity: 'CRITICAL', title: 'first' }, eventOf({ p_any_ip_addresses: ['1.1.1.1'] }))],
    [matchAt(1, { severity: 'LOW', title: 'second' }, later)],
  ])
  expect(windows[0]).toMatchObject({
    severity: 'CRITICAL',
    body: {
      title: 'first',
      firstEventTime: '2024-01-01T00:00:00Z',
      lastEventTime: '2024-01-01T00:00:00.5Z',
      logTypes: ['T', 'U'],
    },
  })
  expect(windows[0]!.body.indicators).toEqual({ p_any_ip_addresses: ['1.1.1.1', '2.2.2.2'] })
  expect(windows[0]!.body.indicatorsCut).toBe(false)
})

test.each([
  ['too many indicators', Array.from({ length: MAX_INDICATORS + 1 }, (_, i) => `h${i}`), MAX_INDICATORS],
  ['an indicator of a megabyte', ['x'.repeat(1 << 20), 'h'], 1],
])('%s are cut with a mark', async (_, values, kept) => {
  const { windows } = await run([[matchAt(0, {}, eventOf({ p_any_domain_names: values }))]])
  expect(windows[0]!.body.indicators['p_any_domain_names']!.length).toBe(kept)
  expect(windows[0]!.body.indicatorsCut).toBe(true)
})

test('findings without a time are one group', async () => {
  const { windows } = await run([[errorAt(Number.NaN), errorAt(Number.NaN)]])
  expect(windows.map(({ eventCount }) => eventCount)).toEqual([2])
})

/** The simplest implementation of the rule, for times that never go back. */
function oracle(times: readonly number[], period: number, threshold: number): [number, number, boolean][] {
  const windows: [number, number, boolean][] = []
  for (const time of times) {
    const last = windows.at(-1)
    if (last && time < last[0] + period) last[1]++
    else windows.push([time, 1, false])
  }
  return windows.map(([start, count]) => [start, count, count >= threshold])
}

test('windows equal those of the slow oracle however matches are split into batches, and each opens once', async () => {
  const gaps = fc.array(fc.tuple(fc.constantFrom(0, 1, 4, 5, 6, 11), fc.boolean()), { minLength: 1, maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(gaps, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 6 }), async (steps, threshold, period) => {
      const batches: Timed[][] = [[]]
      const times: number[] = []
      let time = 0
      for (const [gap, isNewBatch] of steps) {
        time += gap
        times.push(time)
        if (isNewBatch) batches.push([])
        batches.at(-1)!.push(matchAt(time * MINUTE))
      }
      const result = await run(batches, ruleOf({ threshold, dedupPeriodMinutes: period }))
      const wanted = oracle(times, period, threshold)
      expect(shape(result)).toEqual(wanted)
      expect(result.opened.length).toBe(wanted.filter(([, , opened]) => opened).length)
      expect(new Set(result.opened).size).toBe(result.opened.length)
    }),
    { numRuns: 300, seed: 13 },
  )
})

test.each([
  ['INFO', 'MEDIUM'],
  ['LOW', 'MEDIUM'],
  ['MEDIUM', 'MEDIUM'],
  ['HIGH', 'HIGH'],
  ['CRITICAL', 'HIGH'],
  [undefined, 'MEDIUM'],
] as const)('an error of a rule of severity %s is an alert of severity %s', async (severity, expected) => {
  const { windows } = await run([[errorAt(0)]], severity && ruleOf({ severity }))
  expect(windows.map((window) => window.severity)).toEqual([expected])
})

test('an error of a disabled rule raises no alert, because the system alert has the same cause', async () => {
  const off = { ...errorAt(0), finding: { ...errorAt(0).finding, isOff: true } } as Timed
  expect((await run([[off]])).windows).toEqual([])
  expect((await run([[off, errorAt(0)]])).windows.map(({ eventCount }) => eventCount)).toEqual([1])
})

describe('a flood of distinct dedup strings', () => {
  const LIMIT = 5
  const matches = (ruleId: string, from: number, to: number, minute = 0) =>
    Array.from({ length: to - from }, (_, i) => matchAt(minute * MINUTE, { ruleId, dedup: `d${from + i}` }))

  function flood(rules: Readonly<Record<string, Partial<Rule>>>) {
    const store = new Store()
    const known = new Map(Object.entries(rules).map(([id, part]) => [id, ruleOf({ ...part, id })]))
    const limits: Record<string, number> = {}
    return {
      store,
      limits,
      commit(batch: readonly Timed[]) {
        const clock = { atMs: (item: Judged) => (item as Timed).atMs, nowMs: 7 }
        const result = store.commit(groupFindings(batch, known, clock, LIMIT))
        for (const { ruleId, what, n } of result.limits) limits[`${ruleId} ${what}`] = (limits[`${ruleId} ${what}`] ?? 0) + n
        return result
      },
      of: (ruleId: string) => [...store.windows.values()].filter((window) => window.ruleId === ruleId),
    }
  }

  test('shares one alert beyond the limit: no match is dropped, each is counted once, and the alert says why', () => {
    const { commit, limits, of } = flood({ R: { description: 'Text.' } })
    for (let from = 0; from < 100; from += 7)
      expect(commit(matches('R', from, Math.min(100, from + 7))).windowOf.size).toBeGreaterThan(0)
    const windows = of('R')
    expect(windows).toHaveLength(LIMIT + 1)
    expect(windows.reduce((sum, { eventCount }) => sum + eventCount, 0)).toBe(100)
    const crowd = windows.find(({ body }) => body.dedup.startsWith('Caracal'))!
    expect(crowd).toMatchObject({ eventCount: 95, opened: true, body: { title: 'More than 5 dedup strings at once: R' } })
    expect(crowd.body.description).toContain('further dedup strings share this alert')
    expect(limits).toEqual({ 'R dedup': 95 })
  })

  test('does not stop an existing group from counting, or another rule from alerting', () => {
    const { commit, limits, of } = flood({ R: {}, Slow: { threshold: 3 } })
    for (let minute = 0; minute < 50; minute += 20) {
      commit(matches('R', minute * 10, minute * 10 + 200, minute))
      commit([matchAt(minute * MINUTE, { ruleId: 'Slow', dedup: 'root' })])
      commit(matches('R', 0, 1, minute))
    }
    expect(of('Slow').map(({ eventCount, opened }) => [eventCount, opened])).toEqual([[3, true]])
    expect(of('R').find(({ body }) => body.dedup === 'd0')!.eventCount).toBe(4)
    expect(Object.keys(limits)).toEqual(['R dedup'])
  })

  test('does not affect a backlog from before it', () => {
    const { commit, limits, of } = flood({ R: {} })
    commit(matches('R', 0, LIMIT, 600))
    commit(matches('R', 100, 100 + LIMIT, 0))
    expect(limits).toEqual({})
    expect(of('R')).toHaveLength(2 * LIMIT)
    commit(matches('R', 200, 201, 0))
    expect(limits).toEqual({ 'R dedup': 1 })
  })

  test('consists of matches: windows of rule errors are not counted', () => {
    const rules = new Map([['R', ruleOf()]])
    const clock = { atMs: (item: Judged) => (item as Timed).atMs, nowMs: 7 }
    expect(groupFindings([errorAt(5)], rules, clock).crowds).toEqual([])
    expect(groupFindings([errorAt(5), matchAt(9)], rules, clock).crowds).toMatchObject([{ ruleIds: ['R'] }])
  })

  test('is over an hour after its windows end', () => {
    const { commit, limits, of } = flood({ R: {} })
    commit(matches('R', 0, 20))
    commit(matches('R', 100, 101, 119))
    expect(limits).toEqual({ 'R dedup': 16 })
    commit(matches('R', 200, 201, 121))
    expect(limits).toEqual({ 'R dedup': 16 })
    expect(of('R').some(({ body }) => body.dedup === 'd200')).toBe(true)
  })
})

test('windows of a group are numbered, and their ids depend only on rule, dedup string and number', async () => {
  const one = await run([minutes(0), minutes(60), minutes(120)])
  const other = await run([minutes(5), minutes(90), minutes(1000)])
  expect(one.windows.map(({ number }) => number)).toEqual([1, 2, 3])
  expect(one.windows.map(({ alertId }) => alertId)).toEqual(other.windows.map(({ alertId }) => alertId))
  expect(new Set(one.windows.map(({ alertId }) => alertId)).size).toBe(3)
  expect(one.windows[0]!.alertId).toMatch(/^[0-9a-f]{32}$/)
})

test('an alert has the rule version of its first match', async () => {
  expect((await run([minutes(0)], ruleOf({ version: 'abc' }))).windows[0]!.ruleVersion).toBe('abc')
  expect((await run([minutes(0)])).windows[0]!.ruleVersion).toBeNull()
})

test('findings of a replay share no window with live ones, or with those of another version of the rule', () => {
  const store = new Store()
  const commit = (rule: Partial<Rule>, retroactive?: true) => {
    const clock = { atMs: (item: Judged) => (item as Timed).atMs, nowMs: 7, ...(retroactive && { retroactive }) }
    return store.commit(groupFindings([...minutes(0), errorAt(0)], new Map([['R', ruleOf(rule)]]), clock))
  }
  commit({ version: 'a' })
  const decision = commit({ version: 'a' }, true)
  expect(decision.windows.map(({ retroactive, eventCount }) => [retroactive, eventCount])).toEqual([
    [true, 1],
    [true, 1],
  ])
  commit({ version: 'b' }, true)
  commit({ version: 'b' }, true)
  commit({ version: 'b' })
  const counts = [...store.windows.values()].map(({ retroactive, ruleVersion, eventCount, body }) => [
    retroactive ?? false,
    ruleVersion,
    body.type,
    eventCount,
  ])
  expect(counts).toEqual([
    [false, 'a', 'RULE', 2],
    [false, 'a', 'RULE_ERROR', 2],
    [true, 'a', 'RULE', 1],
    [true, 'a', 'RULE_ERROR', 1],
    [true, 'b', 'RULE', 2],
    [true, 'b', 'RULE_ERROR', 2],
  ])
})
