import { CorrelationRuns, type Memory, type RunPart } from '../pipeline/correlation-runs.ts'
import { effectsOfTime } from '../pipeline/effects.ts'
import type { Generation } from '../pipeline/generation.ts'
import { LAST_RULES, lookBack } from '../pipeline/look-back.ts'
import type { Loop } from '../pipeline/loop.ts'
import { forgetCorrelation } from '../state/correlation.ts'
import type { StateDb } from '../state/db.ts'
import { getMeta, setMeta } from '../state/sources.ts'
import { messageOf } from '../util/errors.ts'
import type { PastSignals } from './past-signals.ts'

export interface CorrelationClockDeps {
  readonly db: StateDb
  readonly loop: Pick<Loop, 'other'>
  /** The generation with these correlation rules. */
  readonly generation: Generation
  readonly signals: PastSignals
  /** Resolves when everything that arrived during downtime has been read: until then, an absence of events proves nothing. */
  readonly caughtUp: Promise<void>
  readonly now: () => number
  readonly onTrouble: (kind: 'look-back' | 'correlation', message: string | undefined) => void
}

/** The results of new or changed correlation rules for earlier signals. Exactly one of the two methods is called, once. */
export interface LookBack {
  /** Commits the results in turn with the batches, so that earlier batches count too. Never rejects. */
  readonly commit: () => Promise<void>
  /** The rules will not come into force: nothing is committed. */
  readonly drop: () => void
}

const IDLE_MS = 1000

/** Feeds correlation rules with past signals, the passing of time, and their scheduled runs. */
export class CorrelationClock {
  readonly #deps: CorrelationClockDeps
  readonly #memory: Memory
  #isStopped = false
  #wake: () => void = () => {}
  #stop: () => void = () => {}
  readonly #stopping = new Promise<void>((resolve) => {
    this.#stop = resolve
  })
  #running: Promise<void> = Promise.resolve()

  constructor(deps: CorrelationClockDeps) {
    this.#deps = deps
    this.#memory = { get: (key) => getMeta(deps.db, key) }
  }

  /** Reads stored signals for new or changed correlation rules. */
  async remember(): Promise<LookBack> {
    const { generation, db, loop, signals, now } = this.#deps
    const { correlation } = generation
    if (!correlation) {
      const forgetAll = async () => {
        await forget(db)
        return undefined
      }
      return { commit: () => this.#kept(loop.other(forgetAll)), drop: () => {} }
    }
    const tap = signals.listen()
    try {
      const deps = { correlation, memory: this.#memory, query: signals.query, since: tap.rows, nowMs: now() }
      const make = await lookBack(deps)
      if (make) return { commit: () => this.#kept(loop.other(make, generation)).finally(tap.end), drop: tap.end }
      tap.end()
      return { commit: async () => this.#deps.onTrouble('look-back', undefined), drop: () => {} }
    } catch (error) {
      tap.end()
      return { commit: async () => this.#cannotLookBack(error), drop: () => {} }
    }
  }

  async #kept(done: Promise<void>): Promise<void> {
    try {
      await done
      this.#deps.onTrouble('look-back', undefined)
    } catch (error) {
      this.#cannotLookBack(error)
    }
  }

  #cannotLookBack(error: unknown): void {
    this.#deps.onTrouble(
      'look-back',
      `New or changed correlation rules lack the signals from before they were loaded, which could not be queried (retried at the next change of content and the next start): ${messageOf(error)}`,
    )
  }

  /** Starts the clock. */
  start(): void {
    this.#running = this.#run()
  }

  /** Resolves when nothing is in progress. The loop must have stopped, or continue to commit. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#stop()
    this.#wake()
    await this.#running
  }

  async #run(): Promise<void> {
    const { generation, caughtUp, now } = this.#deps
    if (!generation.correlation) return
    const { order } = generation.correlation.correlator
    let runs: CorrelationRuns | undefined
    while (!runs && !this.#isStopped) {
      try {
        runs = await CorrelationRuns.start(order, this.#memory, now())
      } catch (error) {
        this.#cannotPass(error)
        await this.#sleep()
      }
    }
    await Promise.race([caughtUp, this.#stopping])
    while (runs && !this.#isStopped) if (!(await this.#pass(runs))) await this.#sleep()
  }

  #cannotPass(error: unknown): void {
    if (!this.#isStopped)
      this.#deps.onTrouble(
        'correlation',
        `Correlation rules cannot be evaluated over time, which will be retried: ${messageOf(error)}`,
      )
  }

  /** One step for the time that has passed, and one part of a due run. True if there is more to do now. */
  async #pass(runs: CorrelationRuns): Promise<boolean> {
    const { loop, generation, onTrouble } = this.#deps
    let isMore = false
    let part: RunPart | undefined
    try {
      await loop.other(async (deps) => {
        const due = await effectsOfTime(deps)
        isMore = due?.more ?? false
        return due?.effects
      }, generation)
      await loop.other(async (deps) => {
        part = await runs.part(deps)
        return part?.effects
      }, generation)
      part?.committed()
      onTrouble('correlation', undefined)
      return isMore || part !== undefined
    } catch (error) {
      this.#cannotPass(error)
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

/** Time passes unobserved, so the present memory would be wrong once there are rules again. */
async function forget(db: StateDb): Promise<void> {
  await forgetCorrelation(db)
  await setMeta(db, LAST_RULES, '{}')
}
