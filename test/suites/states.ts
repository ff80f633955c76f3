import fc from 'fast-check'
import { expect } from 'vitest'
import type { AlertWindow, CrowdRef, GroupRef, KnownGroups } from '../../src/model/alert.ts'
import type { BatchEffects, Decision, RecordedBatch } from '../../src/model/batch.ts'
import type { Event } from '../../src/model/event.ts'
import type { Match } from '../../src/model/match.ts'
import type { Rule } from '../../src/model/rule.ts'
import { NO_ALERTS } from '../../src/pipeline/effects.ts'
import type { PipelineState } from '../../src/pipeline/pipeline-state.ts'
import { groupFindings, type Judged } from '../../src/stages/alert/step.ts'
import type { Behaviour } from './behaviours.ts'

/** The part that decides alerts; the rest of the port is about batches and the outbox. */
export type DecidingState = Pick<PipelineState, 'recordBatch' | 'openBatches' | 'commitBatch' | 'tryBatch' | 'commit'>

/** A new, empty state with several writers; the same writer several times if the back end has only one. */
export interface OpenedState {
  readonly writers: readonly DecidingState[]
  /** Deletes every window that ended before, as retention does. */
  deleteWindows(beforeMs: number): Promise<void>
  close(): Promise<void>
}

/** Opens a new, empty state. */
export type StateSubject = () => Promise<OpenedState>

const GROUP: GroupRef = { groupKey: 'g', ruleId: 'R' }
const MINUTE = 60_000

let lastBatch = 0
async function record(state: DecidingState): Promise<RecordedBatch> {
  const batch = {
    batchId: String(++lastBatch).padStart(20, '0'),
    sourceId: `s${lastBatch}`,
    extent: { kind: 'x' },
    receivedMs: 1,
  }
  await state.recordBatch(batch)
  return batch
}

function effectsOf(batch: RecordedBatch, part: Partial<BatchEffects> = {}): BatchEffects {
  const findings = { matches: new Map<string, number>(), errors: new Map<string, number>() }
  const own = { batch, cursor: { place: 'p', value: {} }, counts: [], unknownFields: new Map<string, number>() }
  return { ...NO_ALERTS, rows: [], findings, nowMs: 1, ...own, ...part }
}

function windowOf(known: KnownGroups, part: Partial<AlertWindow> = {}): AlertWindow {
  const number = known.groups.get(GROUP.groupKey)!.nextNumber
  const times = { startMs: 0, endMs: 10 * MINUTE, createdMs: 1, updatedMs: 1 }
  const body = { type: 'RULE', title: 't', sourceLabels: [], threshold: 1 } as unknown as AlertWindow['body']
  const own = {
    alertId: `alert ${number}`,
    number,
    ruleVersion: null,
    severity: 'LOW' as const,
    opened: false,
    eventCount: 1,
    body,
  }
  return { ...GROUP, ...own, ...times, ...part }
}

/** Reads groups through a decision that does nothing. */
export async function knownOf(
  state: DecidingState,
  groups: readonly GroupRef[],
  fromMs = 0,
  crowds: readonly CrowdRef[] = [],
): Promise<KnownGroups> {
  const seen: KnownGroups[] = []
  const decide = (known: KnownGroups) => {
    seen.push(known)
    return undefined
  }
  await state.commit({ groups, fromMs, crowds, decide })
  return seen[0]!
}

/** Inserts a window of the group into state. */
async function add(state: DecidingState, part: Partial<AlertWindow> = {}): Promise<AlertWindow> {
  const batch = await record(state)
  const decide = (known: KnownGroups) => effectsOf(batch, { windows: [windowOf(known, part)] })
  return (await state.commitBatch(batch, { groups: [GROUP], fromMs: 0, decide }))!.windows[0]!
}

const behaviours: Behaviour<OpenedState>[] = [
  {
    name: 'a batch is decided and kept once',
    async check({ writers: [state] }) {
      const batch = await record(state!)
      let decided = 0
      const decision = {
        groups: [GROUP],
        fromMs: 0,
        decide: (known: KnownGroups) => {
          decided++
          return effectsOf(batch, { windows: [windowOf(known)] })
        },
      }
      expect((await state!.commitBatch(batch, decision))?.windows).toHaveLength(1)
      expect(await state!.commitBatch(batch, decision)).toBeUndefined()
      expect(decided).toBe(1)
      expect((await knownOf(state!, [GROUP])).groups.get('g')!.windows).toHaveLength(1)
    },
  },
  {
    name: 'a decision is given each group that it names, those without a window too',
    async check({ writers: [state] }) {
      const made = await add(state!)
      const other = { groupKey: 'never seen', ruleId: 'R' }
      const { groups } = await knownOf(state!, [other, GROUP])
      expect(Object.fromEntries(groups)).toEqual({
        g: { windows: [{ ...made, status: 'OPEN', mutedBy: null }], nextNumber: 2 },
        'never seen': { windows: [], nextNumber: 1 },
      })
    },
  },
  {
    name: 'windows that have ended are left out',
    async check({ writers: [state] }) {
      await add(state!, { startMs: 0, endMs: 100 })
      await add(state!, { startMs: 100, endMs: 200 })
      const at = async (fromMs: number) => {
        const { windows, nextNumber } = (await knownOf(state!, [GROUP], fromMs)).groups.get('g')!
        return [windows.map(({ number }) => number), nextNumber]
      }
      expect(await at(99)).toEqual([[1, 2], 3])
      expect(await at(100)).toEqual([[2], 3])
      expect(await at(200)).toEqual([[], 3])
    },
  },
  {
    name: 'a decision gets the number of windows of a rule that end within a span, live ones or those of the past',
    async check({ writers: [state] }) {
      await add(state!, { startMs: 0, endMs: 100 })
      await add(state!, { startMs: 100, endMs: 200 })
      await add(state!, { startMs: 0, endMs: 100, retroactive: true })
      const count = async (fromMs: number, toMs: number, kind: Pick<CrowdRef, 'retroactive'> = {}) =>
        (await knownOf(state!, [], 0, [{ ruleIds: ['R', 'Other'], fromMs, toMs, ...kind }])).crowds
      expect([...(await count(0, 200))]).toEqual([['R', 2]])
      expect([...(await count(100, 200))]).toEqual([['R', 1]])
      expect([...(await count(0, 199))]).toEqual([['R', 1]])
      expect([...(await count(200, 300))]).toEqual([])
      expect([...(await count(0, 200, { retroactive: true }))]).toEqual([['R', 1]])
    },
  },
  {
    name: 'a number is never given twice, also when the windows that had it are deleted',
    async check({ writers: [state], deleteWindows }) {
      for (let i = 0; i < 3; i++) await add(state!)
      await deleteWindows(20 * MINUTE)
      const { groups } = await knownOf(state!, [GROUP, { groupKey: 'h', ruleId: 'R' }, { groupKey: 'i', ruleId: 'Other' }])
      expect([...groups].map(([key, { windows, nextNumber }]) => [key, windows.length, nextNumber]).sort()).toEqual([
        ['g', 0, 4],
        ['h', 0, 4],
        ['i', 0, 1],
      ])
    },
  },
  {
    name: 'a trial, a decision that throws and one for nothing leave no trace',
    async check({ writers: [state] }) {
      const batch = await record(state!)
      const decision: Decision<BatchEffects> = {
        groups: [GROUP],
        fromMs: 0,
        decide: (known) => effectsOf(batch, { windows: [windowOf(known)] }),
      }
      await state!.tryBatch(batch, decision)
      const fail = () => {
        throw new Error('cannot be decided')
      }
      await expect(state!.tryBatch(batch, { ...decision, decide: fail })).rejects.toThrow('cannot be decided')
      await expect(state!.commitBatch(batch, { ...decision, decide: fail })).rejects.toThrow('cannot be decided')
      expect(await state!.commit({ groups: [GROUP], fromMs: 0, decide: () => undefined })).toBeUndefined()
      expect((await knownOf(state!, [GROUP])).groups.get('g')).toEqual({ windows: [], nextNumber: 1 })
      expect(await state!.openBatches()).toEqual([batch])
    },
  },
  {
    name: 'writers that find no window at the same time make one',
    async check({ writers }) {
      const decide = async (state: DecidingState) => {
        const batch = await record(state)
        await state.commitBatch(batch, {
          groups: [GROUP],
          fromMs: 0,
          decide: (known) => {
            const [own] = known.groups.get('g')!.windows
            const window = own ? { ...own, eventCount: own.eventCount + 1 } : windowOf(known)
            return effectsOf(batch, { windows: [window] })
          },
        })
      }
      await Promise.all([...writers, ...writers, ...writers].map(decide))
      const { windows } = (await knownOf(writers[0]!, [GROUP])).groups.get('g')!
      expect(windows.map(({ eventCount }) => eventCount)).toEqual([writers.length * 3])
    },
  },
]

/** A match: its dedup string, and when its record was received. */
interface Given {
  readonly dedup: string
  readonly minute: number
}

/** The result of all batches. */
interface Outcome {
  readonly windows: readonly AlertWindow[]
  /** Ids of alerts, one entry each time an alert opened. */
  readonly opened: readonly string[]
}

const PERIOD_MINUTES = 10
const THRESHOLD = 3

function judged(ruleId: string, { dedup, minute }: Given): Judged {
  const texts = { title: 't', dedup, description: '', reference: '', runbook: '' }
  const rest = { destinations: undefined, alertContext: undefined, functionErrors: {} }
  const finding: Match = { kind: 'match', ruleId, event: 0, severity: 'LOW', ...texts, ...rest }
  const time = new Date(minute * MINUTE).toISOString()
  const event = { p_log_type: 'T', p_row_id: 'r', p_event_time: time, p_parse_time: time, p_source_label: 's' } as Event
  return { finding, event, text: () => '{}' }
}

/** Commits these batches, with the writers working on their shares concurrently; returns the order of the commits. */
async function commitAll(
  writers: readonly DecidingState[],
  ruleId: string,
  batches: readonly (readonly Given[])[],
): Promise<{ readonly order: readonly number[]; readonly outcome: Outcome }> {
  const source = { language: 'python', file: 'r.py', code: '' }
  const rule = { id: ruleId, source, dedupPeriodMinutes: PERIOD_MINUTES, threshold: THRESHOLD, summaryAttributes: [] }
  const rules = new Map([[ruleId, rule as unknown as Rule]])
  const order: number[] = []
  const opened: string[] = []
  const seen = new Map<string, GroupRef>()
  const commitOne = async (state: DecidingState, at: number) => {
    const items = batches[at]!.map((one) => judged(ruleId, one))
    const grouping = groupFindings(items, rules, { atMs: ({ event }) => Date.parse(event!.p_parse_time), nowMs: 1 })
    for (const group of grouping.groups) seen.set(group.groupKey, group)
    const batch = await record(state)
    const effects = await state.commitBatch(batch, {
      ...grouping,
      decide: (known) => {
        order.push(at)
        const result = grouping.decide(known)
        // Each match is in exactly one window.
        expect(result.windowOf.size).toBe(items.length)
        return effectsOf(batch, { windows: result.windows, opened: result.opened })
      },
    })
    opened.push(...effects!.opened.map(({ alertId }) => alertId))
  }
  await Promise.all(
    writers.map(async (state, nth) => {
      for (let at = nth; at < batches.length; at += writers.length) await commitOne(state, at)
    }),
  )
  const { groups } = await knownOf(writers[0]!, [...seen.values()], -1)
  const windows = [...groups.values()].flatMap(({ windows: own }) => own)
  return { order, outcome: { windows: windows.sort((a, b) => (a.alertId < b.alertId ? -1 : 1)), opened: opened.sort() } }
}

const given: fc.Arbitrary<Given> = fc.record({ dedup: fc.constantFrom('a', 'b', 'c'), minute: fc.nat({ max: 45 }) })
const manyBatches = fc.array(fc.array(given, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 9 })

let lastRule = 0

const manyRuns: Behaviour<OpenedState>[] = [
  {
    name: 'however batches are cut and interleaved, one process that is given them in the order of their commits makes the same alerts',
    async check({ writers }) {
      const [first] = writers
      await fc.assert(
        fc.asyncProperty(manyBatches, async (batches) => {
          const ruleId = `Serial${++lastRule}`
          const { order, outcome } = await commitAll(writers, ruleId, batches)
          expect([...order].sort()).toEqual(batches.map((_, at) => at).sort())
          const alone = await commitAll(
            [first!],
            `${ruleId}.alone`,
            order.map((at) => batches[at]!),
          )
          const cut = await commitAll(
            [first!],
            `${ruleId}.cut`,
            order.flatMap((at) => batches[at]!.map((one) => [one])),
          )
          for (const other of [alone, cut]) expect(shape(other.outcome)).toEqual(shape(outcome))
          checkSums(outcome, batches.flat())
        }),
        { numRuns: 12, seed: 10 },
      )
    },
  },
  {
    name: 'bursts shorter than a period and further apart than one are the same alerts in any order',
    async check({ writers }) {
      const bursts = fc.array(fc.array(fc.nat({ max: PERIOD_MINUTES - 1 }), { minLength: 1, maxLength: 6 }), { maxLength: 4 })
      await fc.assert(
        fc.asyncProperty(bursts, fc.integer({ min: 1 }), async (minutes, seed) => {
          const ruleId = `Bursts${++lastRule}`
          const all = minutes.flatMap((burst, nth) => burst.map((at) => ({ dedup: 'a', minute: nth * 3 * PERIOD_MINUTES + at })))
          const shuffled = all
            .map((one, at) => ({ one, key: Math.imul(at + 1, seed) >>> 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ one }) => [one])
          const { outcome } = await commitAll(writers, ruleId, shuffled)
          const counts = outcome.windows.map(({ eventCount, opened }) => [eventCount, opened])
          expect(counts.sort()).toEqual(minutes.map((burst) => [burst.length, burst.length >= THRESHOLD]).sort())
        }),
        { numRuns: 12, seed: 11 },
      )
    },
  },
]

/** An outcome without what depends on the rule's name. */
function shape({ windows, opened }: Outcome) {
  const ids = new Set(opened)
  return windows
    .map(({ body, number, startMs, endMs, eventCount, opened: isOpen, createdMs, updatedMs, alertId }) => {
      const { dedup, firstEventTime, lastEventTime } = body
      const times = { startMs, endMs, createdMs, updatedMs, firstEventTime, lastEventTime }
      return { dedup, number, eventCount, isOpen, hasOpened: ids.has(alertId), ...times }
    })
    .sort((a, b) => a.dedup.localeCompare(b.dedup) || a.number - b.number)
}

/** Holds in any order: the sum of counts per dedup string, and that every alert opened once. */
function checkSums({ windows, opened }: Outcome, all: readonly Given[]): void {
  for (const dedup of ['a', 'b', 'c']) {
    const counted = windows.filter(({ body }) => body.dedup === dedup).reduce((sum, { eventCount }) => sum + eventCount, 0)
    expect(counted).toBe(all.filter((one) => one.dedup === dedup).length)
  }
  expect(new Set(opened).size).toBe(opened.length)
  expect(windows.filter(({ opened: isOpen }) => isOpen).map(({ alertId }) => alertId)).toEqual(opened)
}

/** Quick behaviours, and those with many runs. */
export const [plainBehaviours, serialBehaviours] = [behaviours, manyRuns].map((list) => list.map(opened)) as [
  Behaviour<StateSubject>[],
  Behaviour<StateSubject>[],
]

function opened({ name, check }: Behaviour<OpenedState>): Behaviour<StateSubject> {
  return {
    name,
    check: async (open) => {
      const state = await open()
      try {
        await check(state)
      } finally {
        await state.close()
      }
    },
  }
}
