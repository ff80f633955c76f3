import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Correlator, createCorrelator } from './correlator.ts'
import { evaluate } from './evaluate.ts'
import type { CorrelationMatch } from './match.ts'
import { oracle } from './oracle.fixture.ts'
import { groupOf, MINUTE, ruleOf, sequenceOf, signal } from './rule.fixture.ts'
import { type CorrelationRule, canBeSpoilt, type Signal } from './rule.ts'
import { MemoryStore } from './store.ts'

const seed = 4848
const FOREVER = Number.POSITIVE_INFINITY
const LOOKBACK = 12

// Few values, so that random rules do match random signals.
const member = fc.record(
  { MinMatchCount: fc.integer({ min: 1, max: 3 }), room: fc.option(fc.integer({ min: 0, max: 2 })), Absence: fc.boolean() },
  { requiredKeys: [] },
)
const members = fc.array(member, { minLength: 1, maxLength: 4 }).map((list) =>
  list.map(({ room, Absence: isAbsent, MinMatchCount: min = 1 }, at) => {
    // At least one member must occur, and an absent one has no maximum.
    const Absence = isAbsent === true && list.some((other, i) => i !== at && other.Absence !== true)
    return {
      RuleID: 'ABCD'[at]!,
      MinMatchCount: min,
      ...(Absence ? { Absence } : typeof room === 'number' && { MaxMatchCount: min + room }),
    }
  }),
)
const minutes = fc.option(fc.integer({ min: 1, max: LOOKBACK }), { nil: undefined })
const group = (order: object) =>
  fc.tuple(members, fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined })).map(([list, needed]) =>
    ruleOf(
      groupOf(list, {
        LookbackWindowMinutes: LOOKBACK,
        ...(needed && { MinMatchCount: Math.min(needed, list.length) }),
        ...order,
      }),
    ),
  )
const sequence = (order: object) =>
  fc
    .tuple(members, fc.array(minutes, { minLength: 3, maxLength: 3 }))
    .filter(([list]) => list.length > 1)
    .map(([list, within]) => ruleOf(sequenceOf(list, { LookbackWindowMinutes: LOOKBACK, ...order }, within)))
const rule = fc.oneof(group({}), sequence({}))
const reverse = { EventEvaluationOrder: 'ReverseChronological' }
const backwards = fc.oneof(group(reverse), sequence(reverse))

const signalsWithin = (span: number) =>
  fc
    .array(
      fc.tuple(fc.constantFrom('A', 'B', 'C', 'D'), fc.integer({ min: 0, max: span }), fc.constantFrom('bob', 'bob', 'eve')),
      {
        maxLength: 30,
      },
    )
    .map((list) => list.map(([ruleId, minute, user], at) => signal(ruleId, minute, user, `${at}`)))

function only(some: CorrelationRule, signals: readonly Signal[]): Signal[] {
  return signals.filter(({ ruleId }) => some.members.some((own) => own.ruleId === ruleId))
}

function namesOf(matches: readonly CorrelationMatch[]): string[] {
  return [...matches]
    .map(({ timeMs, joined, signals }) => ({ timeMs, name: `${joined[0]!.value} ${signals.at(-1)!.rowId}` }))
    .sort((a, b) => a.timeMs - b.timeMs || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name)
}

/** Feeds batches and lets time pass after each; every step starts with a new correlator, as after a restart. */
async function stream(
  some: CorrelationRule,
  batches: readonly (readonly Signal[])[],
  nowOf: (batch: readonly Signal[]) => number,
  graceMs = 0,
  hasRuns = false,
) {
  const store = new MemoryStore()
  const matches: CorrelationMatch[] = []
  const step = async (run: (correlator: Correlator) => ReturnType<Correlator['due']>) => {
    const result = await run(createCorrelator([some], { graceMs }))
    store.apply(result.changes)
    matches.push(...result.matches)
    return result
  }
  for (const batch of batches) {
    await step((correlator) => correlator.feed(batch, store, nowOf(batch)))
    await step((correlator) => correlator.due(store, nowOf(batch)))
    if (hasRuns) await step((correlator) => correlator.run(some.id, store, nowOf(batch)))
  }
  while ((await store.wake(FOREVER, 1)).length > 0) await step((correlator) => correlator.due(store, 1e15))
  return { matches, store }
}

/** The users that matches are about. */
const usersOf = (names: readonly string[]) => [...new Set(names.map((name) => name.split(' ')[0]))].sort()

function split<T>(list: readonly T[], cuts: readonly number[]): T[][] {
  const at = [0, ...cuts.map((cut) => cut % (list.length + 1)), list.length].sort((a, b) => a - b)
  return at.slice(1).map((end, i) => list.slice(at[i], end))
}

const latest = (batch: readonly Signal[]) => Math.max(0, ...batch.map(({ timeMs }) => timeMs))
const cuts = fc.array(fc.nat(30), { maxLength: 8 })

describe('correlation', () => {
  test('finds the same matches as brute force', () => {
    fc.assert(
      fc.property(rule, signalsWithin(60), (some, signals) => {
        const own = only(some, signals)
        expect(namesOf(evaluate(some, own, FOREVER))).toEqual(oracle(some, own))
      }),
      { seed, numRuns: 1500 },
    )
  })

  test('finds the same matches with signals in order, in any batches, across restarts', async () => {
    await fc.assert(
      fc.asyncProperty(rule, signalsWithin(60), cuts, async (some, signals, at) => {
        const own = only(some, signals).sort((a, b) => a.timeMs - b.timeMs)
        // Signals of the same minute arrive together, since there is no order of arrival between equal times.
        const batches = split([...new Set(own.map(({ timeMs }) => timeMs))], at).map((times) =>
          own.filter(({ timeMs }) => times.includes(timeMs)),
        )
        const { matches, store } = await stream(some, batches, latest)
        expect(namesOf(matches)).toEqual(oracle(some, own))
        expect(store.size).toBe(0)
      }),
      { seed, numRuns: 600 },
    )
  })

  test('matches the same keys, whatever the order in which signals arrive within the look-back', async () => {
    await fc.assert(
      fc.asyncProperty(rule, signalsWithin(LOOKBACK), cuts, fc.infiniteStream(fc.nat()), async (some, signals, at, random) => {
        const own = only(some, signals)
        const batches = split(shuffled(own, random), at)
        const { matches } = await stream(some, batches, () => latest(own), MINUTE)
        expect(usersOf(namesOf(matches))).toEqual(usersOf(oracle(some, own)))
        // If matches wait until they are certain, even the matches are the same.
        if (canBeSpoilt(some)) expect(namesOf(matches)).toEqual(oracle(some, own))
      }),
      { seed, numRuns: 600 },
    )
  })

  test('finds the same matches if only some members are joined', async () => {
    const loose = ruleOf({
      Sequence: ['A', 'B', 'C'].map((RuleID) => ({ RuleID })),
      Transitions: [{ From: 'A', To: 'B', Match: [{ On: 'user' }] }],
      LookbackWindowMinutes: LOOKBACK,
    })
    await fc.assert(
      fc.asyncProperty(signalsWithin(60), cuts, async (signals, at) => {
        const own = only(loose, signals).sort((a, b) => a.timeMs - b.timeMs)
        const batches = split([...new Set(own.map(({ timeMs }) => timeMs))], at).map((times) =>
          own.filter(({ timeMs }) => times.includes(timeMs)),
        )
        const { matches } = await stream(loose, batches, latest)
        expect(namesOf(matches)).toEqual(namesOf(evaluate(loose, own, FOREVER)))
      }),
      { seed, numRuns: 300 },
    )
  })

  test('with scheduled runs in between, matches at least the same keys, using each signal once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(rule, backwards), signalsWithin(60), cuts, async (some, signals, at) => {
        const own = only(some, signals).sort((a, b) => a.timeMs - b.timeMs)
        const batches = split([...new Set(own.map(({ timeMs }) => timeMs))], at).map((times) =>
          own.filter(({ timeMs }) => times.includes(timeMs)),
        )
        const { matches } = await stream(some, batches, latest, 0, true)
        expect(usersOf(namesOf(matches))).toEqual(expect.arrayContaining(usersOf(oracle(some, own))))
        const used = matches.flatMap((match) => match.signals.map(({ rowId }) => rowId))
        expect(new Set(used).size).toBe(used.length)
        if (!canBeSpoilt(some) && !some.isReverse) expect(namesOf(matches)).toEqual(oracle(some, own))
      }),
      { seed, numRuns: 600 },
    )
  })

  describe('in reverse order', () => {
    test('finds the same matches as brute force from the latest on', () => {
      fc.assert(
        fc.property(backwards, signalsWithin(60), (some, signals) => {
          const own = only(some, signals)
          expect(namesOf(evaluate(some, own, FOREVER))).toEqual(oracle(some, own))
        }),
        { seed, numRuns: 1500 },
      )
    })

    test('matches the same keys as in chronological order, and the same for signals that arrive together', async () => {
      await fc.assert(
        fc.asyncProperty(backwards, signalsWithin(60), async (some, signals) => {
          const own = only(some, signals)
          const { matches } = await stream(some, [own], () => 1e12)
          expect(namesOf(matches)).toEqual(oracle(some, own))
          expect(usersOf(namesOf(matches))).toEqual(usersOf(oracle({ ...some, isReverse: false }, own)))
        }),
        { seed, numRuns: 600 },
      )
    })

    test('matches the same keys with signals in order, using each signal once', async () => {
      await fc.assert(
        fc.asyncProperty(backwards, signalsWithin(60), cuts, async (some, signals, at) => {
          const own = only(some, signals).sort((a, b) => a.timeMs - b.timeMs)
          const batches = split([...new Set(own.map(({ timeMs }) => timeMs))], at).map((times) =>
            own.filter(({ timeMs }) => times.includes(timeMs)),
          )
          const { matches, store } = await stream(some, batches, latest)
          expect(usersOf(namesOf(matches))).toEqual(usersOf(oracle(some, own)))
          const used = matches.flatMap((match) => match.signals.map(({ rowId }) => rowId))
          expect(new Set(used).size).toBe(used.length)
          expect(store.size).toBe(0)
        }),
        { seed, numRuns: 600 },
      )
    })
  })

  test('does not count a signal twice', async () => {
    await fc.assert(
      fc.asyncProperty(rule, signalsWithin(LOOKBACK), async (some, signals) => {
        const own = only(some, signals).sort((a, b) => a.timeMs - b.timeMs)
        const once = await stream(some, [own], latest)
        const twice = await stream(some, [own, own], latest)
        expect(namesOf(twice.matches)).toEqual(namesOf(once.matches))
      }),
      { seed, numRuns: 200 },
    )
  })
})

function shuffled<T>(list: readonly T[], random: Iterator<number>): T[] {
  return list
    .map((item) => ({ item, by: random.next().value as number }))
    .sort((a, b) => a.by - b.by)
    .map(({ item }) => item)
}
