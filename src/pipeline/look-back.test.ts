import { describe, expect, test } from 'vitest'
import { NOTHING_KNOWN } from '../model/alert.ts'
import { createCorrelator } from '../stages/detect/correlation/correlator.ts'
import { groupOf, MINUTE, ruleOf, sequenceOf, signal } from '../stages/detect/correlation/rule.fixture.ts'
import type { CorrelationRule } from '../stages/detect/correlation/rule.ts'
import { MemoryStore } from '../stages/detect/correlation/store.ts'
import { lookBack, MAX_PAST } from './look-back.ts'

const NOW = 1000
const both = (LookbackWindowMinutes: number, more: object = {}) =>
  ruleOf(groupOf([{ RuleID: 'A' }, { RuleID: 'B' }], { LookbackWindowMinutes }), more)

/** A stored signal, as the lake returns it. */
function row(rule: string, minute: number, user: string): string {
  const time = new Date(minute * MINUTE).toISOString()
  return JSON.stringify([rule, `${rule}@${minute}`, time, JSON.stringify({ user }), JSON.stringify({ user })])
}

/** A sequence of programs with these rules over one state; each reports what it found and which statements it sent. */
function world(rows: readonly string[]) {
  const store = new MemoryStore()
  const meta = new Map<string, string>()
  const memory = {
    get: async (key: string) => meta.get(key),
  }
  return async (rules: readonly CorrelationRule[], answer: () => Promise<readonly string[]> = async () => rows) => {
    const correlation = { correlator: createCorrelator(rules), rules: new Map(rules.map((rule) => [rule.id, rule])), store }
    const asked: string[] = []
    const query = (sql: string) => {
      asked.push(sql)
      return answer()
    }
    const make = await lookBack({ correlation, memory, query, nowMs: NOW * MINUTE })
    const decision = await make?.({
      generation: { hash: '', rules: new Map(), correlation },
      routes: [],
      baseUrl: '',
      nowMs: NOW * MINUTE,
    })
    const effects = decision?.decide(NOTHING_KNOWN)
    if (effects) store.apply(effects.correlation)
    for (const [key, value] of effects?.meta ?? []) meta.set(key, value)
    return { matches: [...(effects?.findings.matches ?? [])], errors: [...(effects?.findings.errors ?? [])], asked, correlation }
  }
}

test('a new rule sees the stored signals of its look-back once', async () => {
  const start = world([row('B', 995, 'bob'), row('A', 990, 'bob'), row('A', 940, 'eve'), row('B', 935, 'eve')])
  const first = await start([both(60)])
  expect(first.matches).toEqual([['Correlated', 1]])
  expect(first.asked).toEqual([expect.stringContaining("p_rule_id IN ('A', 'B')")])
  expect(await start([both(60)])).toMatchObject({ matches: [], asked: [] })
})

test('stored and arriving signals form a match together', async () => {
  const { correlation } = await world([row('A', 990, 'bob')])([both(60)])
  const { matches } = await correlation.correlator.feed([signal('B', NOW)], correlation.store, NOW * MINUTE)
  expect(matches.map(({ signals }) => signals.map(({ rowId }) => rowId))).toEqual([['A@990', 'B@1000/bob']])
})

test('a changed rule begins again, and the others are unaffected', async () => {
  const start = world([row('B', 995, 'bob'), row('A', 990, 'bob')])
  const other = both(60, { RuleID: 'Other' })
  expect((await start([both(60), other])).matches).toEqual([
    ['Correlated', 1],
    ['Other', 1],
  ])
  expect((await start([both(120), other])).matches).toEqual([['Correlated', 1]])
})

test('a rule that was off for a while counts as new', async () => {
  const start = world([row('B', 995, 'bob'), row('A', 990, 'bob')])
  const other = both(60, { RuleID: 'Other' })
  await start([both(60), other])
  expect((await start([other])).asked).toEqual([])
  expect((await start([both(60), other])).asked).toHaveLength(1)
})

test('a look-back that the lake could not answer is repeated at the next start', async () => {
  const start = world([row('B', 995, 'bob'), row('A', 990, 'bob')])
  await expect(start([both(60)], () => Promise.reject(new Error('down')))).rejects.toThrow('down')
  expect((await start([both(60)])).matches).toEqual([['Correlated', 1]])
})

test('a rule whose look-back has more signals than are read reports it', async () => {
  const many = Array.from({ length: MAX_PAST }, (_, at) => row('A', 999 - at / 1000, `u${at}`))
  const { errors } = await world(many)([both(60), both(15, { RuleID: 'Short' })])
  expect(errors).toEqual([['Correlated', 1]])
})

describe('rules that signals can spoil', () => {
  const B = { RuleID: 'B', Absence: true }

  test('see what spoils a match of their look-back, and report none from before', async () => {
    const absent = ruleOf(groupOf([{ RuleID: 'A' }, B], { LookbackWindowMinutes: 60 }))
    const start = world([row('A', 950, 'bob'), row('B', 930, 'bob'), row('A', 900, 'eve')])
    const { correlation } = await start([absent])
    const { matches } = await correlation.correlator.due(correlation.store, 5000 * MINUTE)
    expect(matches).toEqual([])
  })

  test('report what began before their look-back and is still open', async () => {
    const steps = [{ RuleID: 'A' }, { RuleID: 'C' }, B]
    const sequence = ruleOf(sequenceOf(steps, { LookbackWindowMinutes: 60 }))
    const { correlation } = await world([row('C', 980, 'bob'), row('A', 930, 'bob')])([sequence])
    expect((await correlation.correlator.due(correlation.store, 1100 * MINUTE)).matches).toHaveLength(1)
  })

  test('do not count what they already had as a late signal', async () => {
    const steps = [{ RuleID: 'A' }, B, { RuleID: 'C' }]
    const sequence = ruleOf(sequenceOf(steps, { LookbackWindowMinutes: 1800 }))
    const times = Array.from({ length: 30 }, (_, at) => 400 + at * 20)
    const { errors } = await world(times.map((minute) => row('A', minute, 'bob')).reverse())([sequence])
    expect(errors).toEqual([])
  })
})

test('an incident that an inner rule reports again counts once for the rule that refers to it', async () => {
  const inner = both(60, { RuleID: 'Inner' })
  const outer = ruleOf({ Group: [{ RuleID: 'Inner', MinMatchCount: 2 }], LookbackWindowMinutes: 60 }, { RuleID: 'Outer' })
  const context = { joined: [{ name: 'user', value: 'bob' }] }
  const stored = JSON.stringify(['Inner', null, new Date(995 * MINUTE).toISOString(), JSON.stringify(context), null])
  const { matches } = await world([stored, row('B', 995, 'bob'), row('A', 990, 'bob')])([inner, outer])
  expect(matches).toEqual([['Inner', 1]])
})

test('stored rows that cannot be understood affect no other rows', async () => {
  const odd = JSON.stringify(['Inner', null, new Date(995 * MINUTE).toISOString(), '[]', null])
  const start = world([odd, 'no json', row('B', 995, 'bob'), row('A', 990, 'bob')])
  const { matches, errors } = await start([both(60), both(60, { RuleID: 'Inner' })])
  expect(matches).toEqual([
    ['Correlated', 1],
    ['Inner', 1],
  ])
  // They are reported.
  expect(errors).toEqual([
    ['Correlated', 1],
    ['Inner', 1],
  ])
})
