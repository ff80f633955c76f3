import { describe, expect, test } from 'vitest'
import { type CorrelatorOptions, createCorrelator } from './correlator.ts'
import type { CorrelationMatch } from './match.ts'
import { MAX_HITS } from './place.ts'
import { groupOf, MINUTE, ruleOf, sequenceOf, signal } from './rule.fixture.ts'
import type { CorrelationRule, Signal } from './rule.ts'
import { MemoryStore } from './store.ts'

const A = { RuleID: 'A' }
const B = { RuleID: 'B' }
const hour = { LookbackWindowMinutes: 60 }
const both = ruleOf(groupOf([A, B], hour))
const without = ruleOf(groupOf([A, { ...B, Absence: true }], hour))

/** A correlator whose store is written after each step; times are minutes. */
function live(rules: readonly CorrelationRule[], options: CorrelatorOptions = {}) {
  const store = new MemoryStore()
  const correlator = createCorrelator(rules, options)
  const take = async (step: ReturnType<typeof correlator.due>) => {
    const result = await step
    store.apply(result.changes)
    return result
  }
  return {
    store,
    correlator,
    feed: (nowMinute: number, ...signals: Signal[]) => take(correlator.feed(signals, store, nowMinute * MINUTE)),
    due: (nowMinute: number) => take(correlator.due(store, nowMinute * MINUTE)),
    /** A whole run of the rule, with its number of parts. */
    run: async (nowMinute: number, ruleId = 'Correlated') => {
      const matches: CorrelationMatch[] = []
      let parts = 0
      for (let from: string | undefined = ''; from !== undefined; parts++) {
        const part = await correlator.run(ruleId, store, nowMinute * MINUTE, from)
        store.apply(part.changes)
        matches.push(...part.matches)
        from = part.next
      }
      return { matches, parts }
    },
  }
}

const rowsOf = (matches: readonly CorrelationMatch[]) => matches.map(({ signals }) => signals.map(({ rowId }) => rowId))

test('a match is reported when its last signal arrives', async () => {
  const { feed } = live([both])
  expect((await feed(1, signal('A', 1))).matches).toEqual([])
  expect(rowsOf((await feed(2, signal('B', 2))).matches)).toEqual([['A@1/bob', 'B@2/bob']])
})

test('signals of rules that are not referred to change nothing', async () => {
  const { feed, correlator } = live([both])
  expect([...correlator.wanted].sort()).toEqual(['A', 'B'])
  expect((await feed(1, signal('X', 1))).changes).toEqual({ saved: [], removed: [] })
})

test('a disabled rule is not evaluated', async () => {
  const { feed, correlator } = live([ruleOf(groupOf([A, B]), { Enabled: false })])
  expect(correlator.wanted.size).toBe(0)
  expect((await feed(1, signal('A', 1), signal('B', 1))).matches).toEqual([])
})

test('a step that was not committed is repeated identically', async () => {
  const { correlator, store, feed } = live([both])
  await feed(1, signal('A', 1))
  const lost = await correlator.feed([signal('B', 2)], store, 2 * MINUTE)
  expect(await correlator.feed([signal('B', 2)], store, 2 * MINUTE)).toEqual(lost)
})

test('a late signal of a reported incident makes no second match', async () => {
  const { feed } = live([both])
  expect((await feed(6, signal('A', 1), signal('B', 5))).matches).toHaveLength(1)
  expect((await feed(7, signal('A', 2), signal('B', 3))).matches).toEqual([])
  expect((await feed(8, signal('A', 7), signal('B', 8))).matches).toHaveLength(1)
})

test('entries are forgotten a look-back after their last signal', async () => {
  const { feed, due, store } = live([both])
  await feed(1, signal('A', 1), signal('B', 1, 'eve'))
  await due(61)
  expect(store.size).toBe(2)
  await due(63)
  expect(store.size).toBe(0)
})

test('what a rule remembered before it was changed is not used, and is forgotten', async () => {
  const { feed, store } = live([both])
  await feed(1, signal('A', 1))
  const changed = createCorrelator([ruleOf(groupOf([B, A], hour))])
  expect((await changed.feed([signal('B', 2)], store, 2 * MINUTE)).matches).toEqual([])
  store.apply((await changed.due(store, 100 * MINUTE)).changes)
  expect(store.size).toBe(0)
})

test('what a removed rule remembered is forgotten', async () => {
  const { feed, store } = live([both])
  await feed(1, signal('A', 1))
  store.apply((await createCorrelator([]).due(store, 100 * MINUTE)).changes)
  expect(store.size).toBe(0)
})

describe('absence', () => {
  test('is reported once its window and the grace period have passed', async () => {
    const { feed, due } = live([without], { graceMs: 2 * MINUTE })
    expect((await feed(1, signal('A', 1))).matches).toEqual([])
    expect((await due(62)).matches).toEqual([])
    expect(rowsOf((await due(63)).matches)).toEqual([['A@1/bob']])
    expect((await due(64)).matches).toEqual([])
  })

  test('is not reported if the other signal arrives within the grace period', async () => {
    const { feed, due } = live([without], { graceMs: 2 * MINUTE })
    await feed(1, signal('A', 1))
    await feed(62.5, signal('B', 60))
    expect((await due(200)).matches).toEqual([])
  })

  test('waits for the grace period after old signals arrive, as others may be on their way', async () => {
    const { feed, due } = live([without], { graceMs: 2 * MINUTE })
    expect((await feed(1000, signal('A', 1))).matches).toEqual([])
    await feed(1001, signal('B', 1))
    expect((await due(1002)).matches).toEqual([])
    expect((await due(2000)).matches).toEqual([])
  })

  test('is reported for each signal in an old backlog', async () => {
    const { feed, due } = live([without])
    await feed(5000, signal('A', 1), signal('A', 500), signal('B', 501), signal('A', 3000))
    expect(rowsOf((await due(5001)).matches)).toEqual([['A@1/bob'], ['A@3000/bob']])
  })

  test('more than one call may be needed, and the result says so', async () => {
    const { feed, due } = live([without])
    await feed(1, ...Array.from({ length: 600 }, (_, at) => signal('A', 1, `user${at}`)))
    const first = await due(100)
    expect([first.matches.length, first.more]).toEqual([500, true])
    const second = await due(100)
    expect([second.matches.length, second.more]).toEqual([100, false])
  })
})

describe('a run of the schedule', () => {
  test('evaluates absence with the signals so far, and says that it may still be filled', async () => {
    const { feed, run, due } = live([without])
    await feed(1, signal('A', 1), signal('A', 1, 'eve'), signal('B', 1, 'eve'))
    const { matches } = await run(10)
    expect(rowsOf(matches)).toEqual([['A@1/bob']])
    expect(matches[0]!.openUntilMs).toBe(61 * MINUTE)
    expect((await run(20)).matches).toEqual([])
    expect((await due(200)).matches).toEqual([])
  })

  test('evaluates maximums with the signals so far', async () => {
    const { feed, run } = live([ruleOf(groupOf([{ ...A, MaxMatchCount: 1 }, B], hour))])
    await feed(1, signal('A', 1), signal('B', 1), signal('A', 1, 'eve'), signal('A', 1, 'eve', 'twice'), signal('B', 1, 'eve'))
    expect((await run(10)).matches.map(({ joined }) => joined[0]!.value)).toEqual(['bob'])
  })

  test('waits for the rule’s time frame and for the grace period', async () => {
    const framed = ruleOf(sequenceOf([A, { ...B, Absence: true }], hour, [20]))
    const { feed, run } = live([framed], { graceMs: 2 * MINUTE })
    await feed(1, signal('A', 1))
    expect((await run(22)).matches).toEqual([])
    const { matches } = await run(23)
    expect(rowsOf(matches)).toEqual([['A@1/bob']])
    expect(matches[0]!.openUntilMs).toBeUndefined()
  })

  test('waits for the grace period where only the look-back is open', async () => {
    const { feed, run } = live([without], { graceMs: 2 * MINUTE })
    await feed(1, signal('A', 1))
    expect((await run(2)).matches).toEqual([])
    expect((await run(3)).matches).toHaveLength(1)
  })

  test('in reverse order reports the latest of overlapping matches', async () => {
    const few = groupOf([A, { ...B, MaxMatchCount: 5 }], hour)
    const signals = [signal('A', 1), signal('B', 10), signal('A', 20)]
    const reported = async (more: object) => {
      const { feed, run } = live([ruleOf({ ...few, ...more })])
      await feed(20, ...signals)
      return rowsOf((await run(25)).matches)
    }
    expect(await reported({})).toEqual([['A@1/bob', 'B@10/bob']])
    expect(await reported({ EventEvaluationOrder: 'ReverseChronological' })).toEqual([['B@10/bob', 'A@20/bob']])
  })

  test('goes through all keys in parts, and leaves other rules alone', async () => {
    const other = ruleOf(groupOf([A, { ...B, Absence: true }], hour), { RuleID: 'Other' })
    const { feed, run, due } = live([without, other])
    await feed(1, ...Array.from({ length: 1100 }, (_, at) => signal('A', 1, `user${at}`)))
    const { matches, parts } = await run(10)
    expect([matches.length, parts]).toEqual([1100, 3])
    expect(new Set(matches.map(({ ruleId }) => ruleId))).toEqual(new Set(['Correlated']))
    expect((await due(200)).matches.map(({ ruleId }) => ruleId)).toContain('Other')
  })

  test('is a signal for rules that refer to this one', async () => {
    const outer = ruleOf(groupOf([{ RuleID: 'Correlated' }, { RuleID: 'Z' }], hour), { RuleID: 'Outer' })
    const { feed, run } = live([outer, without])
    await feed(5, signal('A', 1), signal('Z', 5))
    expect((await run(10)).matches.map(({ ruleId }) => ruleId)).toEqual(['Correlated', 'Outer'])
  })
})

describe('rules that refer to other correlation rules', () => {
  const outer = ruleOf(sequenceOf([{ RuleID: 'Correlated' }, { RuleID: 'Z' }], hour), { RuleID: 'Outer' })

  test('take their matches as signals, in the same step', async () => {
    const { feed } = live([outer, both])
    const { matches } = await feed(3, signal('A', 1), signal('B', 2), signal('Z', 3))
    expect(matches.map(({ ruleId, joined }) => [ruleId, joined[0]!.value])).toEqual([
      ['Correlated', 'bob'],
      ['Outer', 'bob'],
    ])
  })

  test('take those that became certain over time', async () => {
    const { feed, due } = live([outer, without])
    await feed(1, signal('A', 1))
    await feed(5, signal('Z', 5))
    expect((await due(70)).matches.map(({ ruleId }) => ruleId)).toEqual(['Correlated', 'Outer'])
  })

  test('in a circle are reported and left out, and do not stop others', async () => {
    const one = ruleOf({ Group: [{ RuleID: 'Two' }, A] }, { RuleID: 'One' })
    const two = ruleOf({ Group: [{ RuleID: 'One' }, A] }, { RuleID: 'Two' })
    const { correlator, feed } = live([one, two, both])
    expect(correlator.problems.map(({ message }) => message)).toEqual(
      Array(2).fill(
        'c.yml: correlation rules refer to each other in a circle (One → Two → One) and are not evaluated: remove one of the references',
      ),
    )
    expect((await feed(1, signal('A', 1), signal('B', 1))).matches).toHaveLength(1)
  })
})

describe('clocks that are wrong', () => {
  test('a signal with a time in the future makes no others late', async () => {
    const { feed, due } = live([without])
    await feed(100, signal('A', 5000))
    const { notices } = await feed(101, signal('A', 101))
    expect(notices).toEqual([])
    expect(rowsOf((await due(200)).matches)).toEqual([['A@101/bob']])
  })

  test('what was seen while the clock was ahead is reported when its time has passed', async () => {
    const { feed, due } = live([without])
    await feed(5000, signal('A', 1))
    expect(rowsOf((await due(200)).matches)).toEqual([])
    // It is checked again as soon as a signal arrives for the key.
    expect(rowsOf((await feed(201, signal('A', 200))).matches)).toEqual([['A@1/bob']])
  })
})

describe('limits', () => {
  test('too many signals of one key: the latest are kept, and matches say that some are missing', async () => {
    const { feed } = live([ruleOf(groupOf([A, B], { LookbackWindowMinutes: 3000 }))])
    const flood = Array.from({ length: MAX_HITS + 5 }, (_, at) => signal('A', at))
    const { notices } = await feed(MAX_HITS, ...flood)
    expect(notices).toMatchObject([{ ruleId: 'Correlated', kind: 'signals_cut', count: 5 }])
    const { matches } = await feed(MAX_HITS + 10, signal('B', MAX_HITS + 10))
    expect(matches).toMatchObject([
      {
        isCut: true,
        counts: [
          { memberId: 'A', count: MAX_HITS },
          { memberId: 'B', count: 1 },
        ],
      },
    ])
  })

  test('a flood of one member does not push out another', async () => {
    const { feed } = live([ruleOf(sequenceOf([A, B, { RuleID: 'Z' }], { LookbackWindowMinutes: 3000 }))])
    await feed(0, signal('A', 0))
    await feed(2000, ...Array.from({ length: 2000 }, (_, at) => signal('B', at + 1)))
    expect((await feed(2001, signal('Z', 2001))).matches).toHaveLength(1)
  })

  test('too many keys: further ones are reported, and known ones keep working', async () => {
    const { feed, due, store } = live([both], { maxKeys: 2 })
    await feed(1, signal('A', 1, 'u1'), signal('A', 1, 'u2'))
    const { notices } = await feed(2, signal('A', 2, 'u3'))
    expect(notices).toMatchObject([{ kind: 'keys_full', count: 1 }])
    expect(store.size).toBe(2)
    expect((await feed(3, signal('B', 3, 'u1'))).matches).toHaveLength(1)
    await due(200)
    expect((await feed(201, signal('A', 201, 'u3'))).notices).toEqual([])
  })

  test('a list too long to be joined on is truncated, and that is reported', async () => {
    const { feed } = live([both])
    const users = Array.from({ length: 150 }, (_, at) => `u${at}`)
    expect((await feed(1, signal('A', 1, users))).notices).toMatchObject([{ kind: 'values_cut', count: 1 }])
    expect((await feed(2, signal('B', 2, ['u5', 'u149']))).matches.map(({ joined }) => joined[0]!.value)).toEqual(['u5'])
  })

  test('signals that come too late to be correlated are reported', async () => {
    const { feed } = live([both])
    await feed(1000, signal('A', 1000))
    expect((await feed(1001, signal('B', 1))).notices).toMatchObject([{ kind: 'late', count: 1 }])
  })
})
