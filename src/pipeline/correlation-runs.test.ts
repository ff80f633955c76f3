import { expect, test } from 'vitest'
import { NOTHING_KNOWN } from '../model/alert.ts'
import { createCorrelator } from '../stages/detect/correlation/correlator.ts'
import { groupOf, MINUTE, ruleOf, signal } from '../stages/detect/correlation/rule.fixture.ts'
import type { CorrelationRule } from '../stages/detect/correlation/rule.ts'
import { MemoryStore } from '../stages/detect/correlation/store.ts'
import { CorrelationRuns, type RunPart } from './correlation-runs.ts'
import type { EffectsDeps } from './effects.ts'

const A = { RuleID: 'A' }
const B = { RuleID: 'B' }
const hourly = { LookbackWindowMinutes: 600, Schedule: { RateMinutes: 60, TimeoutMinutes: 5 } }
const without = ruleOf(groupOf([A, { ...B, Absence: true }], hourly))

/** A program that may be stopped and restarted; times are minutes. */
const effectsIn = (part: RunPart | undefined) => part?.effects?.decide(NOTHING_KNOWN)

function program(rule: CorrelationRule) {
  const store = new MemoryStore()
  const meta = new Map<string, string>()
  const memory = {
    get: async (key: string) => meta.get(key),
  }
  const correlator = createCorrelator([rule], { graceMs: 0 })
  const depsAt = (minute: number): EffectsDeps => ({
    generation: { hash: '', rules: new Map(), correlation: { correlator, rules: new Map([[rule.id, rule]]), store } },
    routes: [],
    baseUrl: '',
    nowMs: minute * MINUTE,
  })
  return {
    store,
    meta,
    async feed(minute: number, users: readonly string[]) {
      const signals = users.map((user) => signal('A', minute, user))
      store.apply((await correlator.feed(signals, store, minute * MINUTE)).changes)
    },
    async start(minute: number) {
      const runs = await CorrelationRuns.start([rule], memory, minute * MINUTE)
      if (meta.size === 0) {
        const first = await runs.part(depsAt(minute))
        for (const [key, value] of effectsIn(first)?.meta ?? []) meta.set(key, value)
        first?.committed()
      }
      return runs
    },
    /** Checks every minute; returns the minutes and the number of matches reported in each. */
    async pass(runs: CorrelationRuns, fromMinute: number, toMinute: number) {
      const reported: [number, number][] = []
      for (let minute = fromMinute; minute <= toMinute; minute++) {
        for (let part = await runs.part(depsAt(minute)); part; part = await runs.part(depsAt(minute))) {
          const effects = effectsIn(part)
          if (effects) store.apply(effects.correlation)
          for (const [key, value] of effects?.meta ?? []) meta.set(key, value)
          part.committed()
          const matches = effects?.findings.matches.get(rule.id) ?? 0
          if (matches > 0) reported.push([minute, matches])
        }
      }
      return reported
    },
    part: (runs: CorrelationRuns, minute: number) => runs.part(depsAt(minute)),
  }
}

test('a rule runs when its schedule is due, not when it is first seen', async () => {
  const { feed, start, pass } = program(without)
  await feed(65, ['bob'])
  const runs = await start(70)
  expect(await pass(runs, 70, 200)).toEqual([[120, 1]])
  await feed(201, ['eve', 'mallory'])
  expect(await pass(runs, 201, 300)).toEqual([[240, 2]])
})

test('one run catches up on all due times during downtime', async () => {
  const { feed, start, pass } = program(without)
  await pass(await start(70), 70, 100)
  await feed(100, ['bob'])
  const again = await start(250)
  expect(await pass(again, 250, 299)).toEqual([[250, 1]])
})

test('a part that was not committed is repeated unchanged, and the run continues from there', async () => {
  const { feed, start, pass, part } = program(without)
  const runs = await start(70)
  const users = Array.from({ length: 700 }, (_, at) => `user${at}`)
  await feed(100, users)
  const lost = await part(runs, 120)
  expect(effectsIn(await part(runs, 120))).toMatchObject({ findings: effectsIn(lost)!.findings })
  expect(await pass(runs, 120, 121)).toEqual([
    [120, 500],
    [120, 200],
  ])
})

test('a stop in the middle of a run loses and repeats nothing', async () => {
  const { feed, start, pass, part, store } = program(without)
  const runs = await start(70)
  await feed(
    100,
    Array.from({ length: 700 }, (_, at) => `user${at}`),
  )
  const effects = effectsIn(await part(runs, 120))
  expect([effects!.findings.matches.get(without.id), effects!.meta.size]).toEqual([500, 0])
  store.apply(effects!.correlation)
  expect(await pass(await start(130), 130, 200)).toEqual([[130, 200]])
})

test('rules that nothing can spoil, and those whose schedule never occurs, have no runs', async () => {
  for (const rule of [
    ruleOf(groupOf([A, B], hourly)),
    ruleOf(groupOf([A, { ...B, Absence: true }])),
    ruleOf(groupOf([A, { ...B, Absence: true }], { Schedule: { CronExpression: '0 0 31 2 *', TimeoutMinutes: 5 } })),
  ]) {
    const { feed, start, part, meta } = program(rule)
    const runs = await start(70)
    await feed(100, ['bob'])
    expect(await part(runs, 10_000)).toBeUndefined()
    expect(meta.size).toBe(0)
  }
})

test('rules run after those that they refer to', async () => {
  const inner = without
  const Schedule = hourly.Schedule
  const outer = ruleOf(
    groupOf([{ RuleID: 'C' }, { RuleID: 'Correlated', Absence: true }], { LookbackWindowMinutes: 600, Schedule }),
    { RuleID: 'Outer' },
  )
  const store = new MemoryStore()
  const correlator = createCorrelator([outer, inner], { graceMs: 0 })
  const feed = await correlator.feed([signal('A', 100), signal('C', 100)], store, 100 * MINUTE)
  store.apply(feed.changes)
  const runs = await CorrelationRuns.start(correlator.order, { get: async () => '0' }, 110 * MINUTE)
  const reported: string[] = []
  const deps = (): EffectsDeps => ({
    generation: {
      hash: '',
      rules: new Map(),
      correlation: { correlator, rules: new Map(correlator.order.map((rule) => [rule.id, rule])), store },
    },
    routes: [],
    baseUrl: '',
    nowMs: 120 * MINUTE,
  })
  for (let part = await runs.part(deps()); part; part = await runs.part(deps())) {
    const effects = effectsIn(part)
    if (effects) store.apply(effects.correlation)
    reported.push(...(effects?.findings.matches.keys() ?? []))
    part.committed()
  }
  expect(reported).toEqual(['Correlated'])
})
