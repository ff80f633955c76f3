import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AlertWindow, GroupRef, KnownGroups } from '../model/alert.ts'
import { PROBLEM_KINDS, type ProblemWhat, type SystemProblem, systemProblem } from '../model/system-problem.ts'
import { MAX_COVERS, QUIET_MS, REMIND_MS } from '../stages/alert/system.ts'
import type { Route } from './deliveries.ts'
import { effectsOfProblems } from './system-alerts.ts'

const MINUTE = 60_000
const ALL: readonly Route[] = [
  { id: 'mail', severities: [] },
  { id: 'soc', severities: ['HIGH', 'CRITICAL'] },
  { id: 'chat', severities: [], system: false },
]

/** A state in memory; `raise` returns the alerts: `<what> → <destinations>`. */
function world(routes = ALL) {
  const windows: AlertWindow[] = []
  const known = (groups: readonly GroupRef[], fromMs: number): KnownGroups => {
    const own = (groupKey: string) => windows.filter((window) => window.groupKey === groupKey)
    const held = (groupKey: string) => ({
      windows: own(groupKey).filter(({ endMs }) => endMs > fromMs),
      nextNumber: own(groupKey).length + 1,
    })
    return { groups: new Map(groups.map(({ groupKey }) => [groupKey, held(groupKey)])), crowds: new Map() }
  }
  return {
    windows,
    async raise(problems: readonly SystemProblem[], nowMs: number): Promise<string[]> {
      const decision = effectsOfProblems(problems, { routes, baseUrl: 'http://x', nowMs })
      const effects = decision.decide(known(decision.groups, decision.fromMs))
      windows.push(...(effects?.windows ?? []))
      return (effects?.opened ?? []).map(({ alertId, ruleId }) => {
        const to = effects!.deliveries.filter((delivery) => delivery.alertId === alertId).map(({ destination }) => destination)
        return `${ruleId} → ${to.join(' ')}`
      })
    },
  }
}

const off = (n: number) => systemProblem('RuleOff', `R${n}`, `Rule R${n} is off`)
const letters = (source: string, severity?: 'HIGH') =>
  systemProblem('DeadLetters', source, `records of ${source}`, severity ? { severity } : {})

test('one alert per cause, listing everything that it covers, however many rules are off', async () => {
  const { raise, windows } = world()
  const many = Array.from({ length: 700 }, (_, n) => off(n))
  expect(await raise(many, 0)).toEqual(['Caracal.RuleOff → mail soc'])
  const { body, severity, eventCount } = windows[0]!
  expect({ severity, eventCount, type: body.type, title: body.title }).toEqual({
    severity: 'HIGH',
    eventCount: 700,
    type: 'SYSTEM',
    title: 'Rules are off: R0, R1, R2 and 697 more',
  })
  const context = JSON.parse(body.context!) as { covers: string[]; covers_count: number }
  expect([context.covers.length, context.covers_count]).toEqual([MAX_COVERS, 700])
  expect(await raise(many, QUIET_MS)).toEqual([])
})

test('each source is a separate cause', async () => {
  const { raise, windows } = world()
  expect(await raise([letters('a'), letters('b', 'HIGH')], 0)).toEqual([
    'Caracal.DeadLetters → mail',
    'Caracal.DeadLetters → mail soc',
  ])
  expect(windows.map(({ body }) => [body.title, body.dedup])).toEqual([
    ['records of a', 'Caracal.DeadLetters:a'],
    ['records of b', 'Caracal.DeadLetters:b'],
  ])
})

test.each([
  { name: 'nothing new', later: [off(1)], afterMs: REMIND_MS - 1, raises: false },
  { name: 'less than before', later: [], afterMs: REMIND_MS, raises: false },
  { name: 'the same after the window', later: [off(1)], afterMs: REMIND_MS, raises: true },
  { name: 'something new, soon', later: [off(1), off(2)], afterMs: QUIET_MS - 1, raises: false },
  { name: 'something new, later', later: [off(1), off(2)], afterMs: QUIET_MS, raises: true },
  { name: 'something else, later', later: [off(2)], afterMs: QUIET_MS, raises: true },
  { name: 'something worse, at once', later: [{ ...off(1), severity: 'CRITICAL' as const }], afterMs: 1, raises: true },
  { name: 'something harmless', later: [{ ...off(1), severity: 'LOW' as const }], afterMs: 1, raises: false },
])('after an alert, $name: another one? $raises', async ({ later, afterMs, raises }) => {
  const { raise } = world()
  await raise([off(1)], 1000)
  expect((await raise(later, 1000 + afterMs)).length).toBe(raises ? 1 : 0)
})

test('an alert about a destination never goes there, and nowhere if there is no other', async () => {
  const dead = (to: string) => systemProblem('DeliveryDead', to, 'dead', { covers: ['a1'], notTo: [to] })
  expect(await world().raise([dead('soc'), dead('mail')], 0)).toEqual([
    'Caracal.DeliveryDead → mail',
    'Caracal.DeliveryDead → soc',
  ])
  const { raise, windows } = world([{ id: 'mail', severities: [] }])
  expect(await raise([dead('mail')], 0)).toEqual(['Caracal.DeliveryDead → '])
  expect(windows).toHaveLength(1)
})

test('hostile text in a problem cannot move a cursor, and is bounded', async () => {
  const { raise, windows } = world()
  const evil = `\u001b[2J\ud800\u202e${'x'.repeat(10_000)}`
  await raise([systemProblem('ContentBroken', evil, evil)], 0)
  const { title, context } = windows[0]!.body
  expect(title.startsWith('\\u{1b}[2J\ufffd\\u{202e}xx')).toBe(true)
  expect(title.length).toBeLessThan(350)
  for (const char of ['\u001b', '\u202e']) expect(context).not.toContain(char)
  expect(context!.length).toBeLessThan(2000)
})

test('for any sequence of problems, no cause is alerted twice within its quiet time unless it got worse, and none goes unreported for a day', async () => {
  const kinds = Object.keys(PROBLEM_KINDS) as ProblemWhat[]
  const problem = fc.record({ what: fc.constantFrom(...kinds), key: fc.constantFrom('a', 'b', 'c') })
  const step = fc.record({ problems: fc.array(problem, { maxLength: 6 }), minutes: fc.integer({ min: 1, max: 900 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { raise, windows } = world()
      let nowMs = 1_000_000
      for (const { problems, minutes } of steps) {
        nowMs += minutes * MINUTE
        const now = problems.map(({ what, key }) => systemProblem(what, key, `${what} ${key}`))
        await raise(now, nowMs)
        for (const { what } of now)
          expect(windows.some(({ ruleId, startMs }) => ruleId === `Caracal.${what}` && startMs > nowMs - REMIND_MS)).toBe(true)
      }
      const last = new Map<string, number>()
      for (const { groupKey, startMs } of windows) {
        expect(startMs - (last.get(groupKey) ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(QUIET_MS)
        last.set(groupKey, startMs)
      }
      expect(new Set(windows.map(({ alertId }) => alertId)).size).toBe(windows.length)
    }),
    { seed: 9, numRuns: 200 },
  )
})
