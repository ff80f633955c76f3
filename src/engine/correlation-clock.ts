import type { Correlation } from '../pipeline/correlate.ts'
import { CorrelationRuns, type Memory, type RunPart } from '../pipeline/correlation-runs.ts'
import { effectsOfTime } from '../pipeline/effects.ts'
import { LAST_RULES, lookBack } from '../pipeline/look-back.ts'
import type { Loop } from '../pipeline/loop.ts'
import { forgetCorrelation } from '../state/correlation.ts'
import type { StateDb } from '../state/db.ts'
import { getMeta, setMeta } from '../state/sources.ts'
import { messageOf } from '../util/errors.ts'

export interface CorrelationClockDeps {
  readonly correlation: Correlation | undefined
  readonly db: StateDb
  readonly loop: Pick<Loop, 'other'>
  /** Stored signals from the lake, what is committed included. Rows are JSON array texts. */
  readonly querySignals: (sql: string, maxRows: number) => Promise<readonly string[]>
  /** Resolves when what came while the program was down has been read: until then nobody knows what has not happened. */
  readonly caughtUp: () => Promise<void>
  readonly now: () => number
  readonly onTrouble: (kind: 'look-back' | 'correlation', message: string | undefined) => void
}

const IDLE_MS = 1000

/** Lets correlation rules see what was before them, that time passes, and when their schedules are due. */
export class CorrelationClock {
  readonly #deps: CorrelationClockDeps
  readonly #memory: Memory
  #isStopped = false
  #wake: () => void = () => {}
  #running: Promise<void> = Promise.resolve()

  constructor(deps: CorrelationClockDeps) {
    this.#deps = deps
    this.#memory = { get: (key) => getMeta(deps.db, key) }
  }

  /** Lets correlation rules that are new or changed see what is stored already. To be called before the first batch. */
  async remember(): Promise<void> {
    const { correlation, db, loop, querySignals, now, onTrouble } = this.#deps
    try {
      if (!correlation) {
        // Time goes by unseen: what is remembered now would be wrong when there are rules again.
        await forgetCorrelation(db)
        return await setMeta(db, LAST_RULES, '{}')
      }
      const make = await lookBack({ correlation, memory: this.#memory, query: querySignals, nowMs: now() })
      if (make) await loop.other(make)
    } catch (error) {
      onTrouble(
        'look-back',
        `New or changed correlation rules do not know what happened before this start, which could not be looked up (the next start tries again): ${messageOf(error)}`,
      )
    }
  }

  /** Time passes from now on. */
  start(): void {
    this.#running = this.#run().catch(() => {})
  }

  /** Resolves when nothing of it is under way. The loop must have stopped, or go on committing. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#wake()
    await this.#running
  }

  async #run(): Promise<void> {
    const { correlation, caughtUp, now } = this.#deps
    if (!correlation) return
    const runs = await CorrelationRuns.start(correlation.correlator.order, this.#memory, now())
    await caughtUp()
    while (!this.#isStopped) if (!(await this.#pass(runs))) await this.#sleep()
  }

  /** One step of what time makes certain, and one part of a run that is due. True: there is more to do now. */
  async #pass(runs: CorrelationRuns): Promise<boolean> {
    const { loop, onTrouble } = this.#deps
    let isMore = false
    let part: RunPart | undefined
    try {
      await loop.other(async (deps) => {
        const due = await effectsOfTime(deps)
        isMore = due?.more ?? false
        return due?.effects
      })
      await loop.other(async (deps) => {
        part = await runs.part(deps)
        return part?.effects
      })
      part?.committed()
      onTrouble('correlation', undefined)
      return isMore || part !== undefined
    } catch (error) {
      if (!this.#isStopped)
        onTrouble('correlation', `Correlation rules cannot see that time passes, which is tried again: ${messageOf(error)}`)
      return false
    }
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, IDLE_MS).unref()
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
