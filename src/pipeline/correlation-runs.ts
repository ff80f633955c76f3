import type { OtherEffects } from '../model/batch.ts'
import type { Schedule } from '../model/schedule.ts'
import { type CorrelationRule, canBeSpoilt } from '../stages/detect/correlation/rule.ts'
import { plan } from '../stages/detect/scheduled/plan.ts'
import { scheduleProblem } from '../stages/detect/scheduled/schedule.ts'
import { hash16 } from '../util/hash.ts'
import { correlateRun } from './correlate.ts'
import { type EffectsDeps, effectsOfCorrelated } from './effects.ts'

/** What is kept in state beside what rules remember. */
export interface Memory {
  readonly get: (key: string) => Promise<string | undefined>
  readonly set: (key: string, value: string) => Promise<void>
}

/** A part of a run, to be committed; then `committed` must be called. */
export interface RunPart {
  readonly effects: OtherEffects | undefined
  readonly committed: () => void
}

interface Scheduled {
  readonly ruleId: string
  readonly schedule: Schedule
  /** The due time of the last run; before the first, when the rule was first seen. */
  doneMs: number
  /** The run under way. */
  run: { readonly dueMs: number; readonly from: string | undefined } | undefined
}

/**
 * Runs correlation rules when their `Schedule` is due, in parts that are each one transaction. After a stop one run catches up. Rules
 * that nothing can spoil have said all they can as signals arrived: they need no runs.
 */
export class CorrelationRuns {
  readonly #scheduled: readonly Scheduled[]

  private constructor(scheduled: readonly Scheduled[]) {
    this.#scheduled = scheduled
  }

  /** Reads where each rule has come. */
  static async start(rules: Iterable<CorrelationRule>, memory: Memory, nowMs: number): Promise<CorrelationRuns> {
    const scheduled: Scheduled[] = []
    for (const rule of rules) {
      const { id: ruleId, schedule } = rule
      if (!schedule || !canBeSpoilt(rule) || scheduleProblem(schedule) !== undefined) continue
      const done = await memory.get(keyOf(ruleId))
      if (done === undefined) await memory.set(keyOf(ruleId), String(nowMs))
      scheduled.push({ ruleId, schedule, doneMs: done === undefined ? nowMs : Number(done), run: undefined })
    }
    return new CorrelationRuns(scheduled)
  }

  /** The next part of a run that is due; `undefined` when none is. The same until it is committed. */
  async part(deps: EffectsDeps): Promise<RunPart | undefined> {
    const item = this.#scheduled.find(({ run }) => run) ?? this.#scheduled.find((each) => begin(each, deps.nowMs))
    if (!item?.run || !deps.correlation) return undefined
    const { dueMs, from } = item.run
    const { next, ...correlated } = await correlateRun(deps.correlation, item.ruleId, deps.nowMs, from)
    const meta = new Map(next === undefined ? [[keyOf(item.ruleId), String(dueMs)]] : [])
    return {
      effects: await effectsOfCorrelated(correlated, meta, deps),
      committed: () => {
        item.run = next === undefined ? undefined : { dueMs, from: next }
        if (next === undefined) item.doneMs = dueMs
      },
    }
  }
}

/** Begins the run that is due, if one is. */
function begin(item: Scheduled, nowMs: number): boolean {
  const decision = plan(item.schedule, { doneMs: item.doneMs, running: false }, nowMs)
  if (decision.kind === 'run') item.run = { dueMs: decision.dueMs, from: undefined }
  return decision.kind === 'run'
}

/** The key in state of the due time that a rule's runs have come to. */
function keyOf(ruleId: string): string {
  return `correlation-run:${hash16(ruleId)}`
}
