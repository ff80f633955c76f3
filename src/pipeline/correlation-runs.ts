import type { Decision, OtherEffects } from '../model/batch.ts'
import { type CorrelationRule, canBeSpoilt } from '../stages/detect/correlation/rule.ts'
import { Due } from '../stages/detect/scheduled/plan.ts'
import { scheduleProblem } from '../stages/detect/scheduled/schedule.ts'
import { hash16 } from '../util/hash.ts'
import { correlateRun } from './correlate.ts'
import { type EffectsDeps, effectsOfCorrelated, NOTHING_FOUND } from './effects.ts'

/** Stored in state in addition to the rules' memory. */
export interface Memory {
  readonly get: (key: string) => Promise<string | undefined>
}

/** A part of a run, to be committed; then `committed` must be called. */
export interface RunPart {
  readonly effects: Decision<OtherEffects> | undefined
  readonly committed: () => void
}

interface Scheduled {
  readonly ruleId: string
  readonly due: Due
  run: { readonly dueMs: number; readonly from: string | undefined } | undefined
}

/**
 * Runs correlation rules when their `Schedule` is due, in parts, each of which is one transaction. After a stop one run catches up. Rules
 * that nothing can spoil report everything as signals arrive: they need no runs.
 */
export class CorrelationRuns {
  readonly #scheduled: readonly Scheduled[]
  /** When rules were first seen, until it is stored in state. */
  #unseen: ReadonlyMap<string, string>

  private constructor(scheduled: readonly Scheduled[], unseen: ReadonlyMap<string, string>) {
    this.#scheduled = scheduled
    this.#unseen = unseen
  }

  /** Reads the progress of each rule. `rules`: rules come after those that they refer to, so that they run after them. */
  static async start(rules: readonly CorrelationRule[], memory: Memory, nowMs: number): Promise<CorrelationRuns> {
    const scheduled: Scheduled[] = []
    const unseen = new Map<string, string>()
    for (const rule of rules) {
      const { id: ruleId, schedule } = rule
      if (!schedule || !canBeSpoilt(rule) || scheduleProblem(schedule) !== undefined) continue
      const done = await memory.get(keyOf(ruleId))
      if (done === undefined) unseen.set(keyOf(ruleId), String(nowMs))
      scheduled.push({ ruleId, due: new Due(schedule, Number(done ?? nowMs)), run: undefined })
    }
    return new CorrelationRuns(scheduled, unseen)
  }

  /** The next part of a due run, or what must be stored first; `undefined` if there is none. The same until it is committed. */
  async part(deps: EffectsDeps): Promise<RunPart | undefined> {
    if (this.#unseen.size > 0) return this.#firstSeen(deps)
    const item = this.#scheduled.find(({ run }) => run) ?? this.#scheduled.find((each) => begin(each, deps.nowMs))
    const { correlation } = deps.generation
    if (!item?.run || !correlation) return undefined
    const { dueMs, from } = item.run
    const { next, ...correlated } = await correlateRun(correlation, item.ruleId, deps.nowMs, from)
    const meta = new Map(next === undefined ? [[keyOf(item.ruleId), String(dueMs)]] : [])
    return {
      effects: await effectsOfCorrelated(correlated, meta, deps),
      committed: () => {
        item.run = next === undefined ? undefined : { dueMs, from: next }
        if (next === undefined) item.due.done(dueMs)
      },
    }
  }

  async #firstSeen(deps: EffectsDeps): Promise<RunPart> {
    return {
      effects: await effectsOfCorrelated(NOTHING_FOUND, this.#unseen, deps),
      committed: () => {
        this.#unseen = new Map()
      },
    }
  }
}

/** Begins the run that is due, if there is one. */
function begin(item: Scheduled, nowMs: number): boolean {
  const dueMs = item.due.at(nowMs)
  if (dueMs !== undefined) item.run = { dueMs, from: undefined }
  return dueMs !== undefined
}

/** The key in state of the due time that a rule's runs have reached. */
function keyOf(ruleId: string): string {
  return `correlation-run:${hash16(ruleId)}`
}
