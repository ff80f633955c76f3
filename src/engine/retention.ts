import { setImmediate } from 'node:timers/promises'
import type { StateDb } from '../state/db.ts'
import { oldestPendingMs, pruneStep, type Retention } from '../state/retention.ts'
import { messageOf } from '../util/errors.ts'

const PERIOD_MS = 3_600_000

export interface PruningOptions {
  readonly retention: Retention
  readonly now: () => number
  /** Sources that have something to read, or have read something that is not committed. */
  readonly behind: () => readonly string[]
  /** Reports why it cannot delete, or that it can again. */
  readonly onTrouble: (message: string | undefined) => void
}

/** Keeps the state from growing forever: once an hour, deletes what is no longer needed, in small steps. */
export class Pruning {
  readonly #db: StateDb
  readonly #options: PruningOptions
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #isStopped = false

  constructor(db: StateDb, options: PruningOptions) {
    this.#db = db
    this.#options = options
  }

  /** Begins now and repeats every hour. */
  start(): void {
    const again = () => {
      this.#running ??= this.run().finally(() => {
        this.#running = undefined
      })
    }
    this.#timer = setInterval(again, PERIOD_MS).unref()
    again()
  }

  /** Deletes what is due. Never rejects. */
  async run(): Promise<void> {
    const { retention, now, behind, onTrouble } = this.#options
    try {
      for (;;) {
        if (this.#isStopped) return
        const nowMs = now()
        const moment = { nowMs, oldestPendingMs: await oldestPendingMs(this.#db, behind(), nowMs) }
        if (!(await pruneStep(this.#db, retention, moment))) break
        await setImmediate()
      }
      onTrouble(undefined)
    } catch (error) {
      onTrouble(`Old entries cannot be deleted from the state, which will be retried in an hour: ${messageOf(error)}`)
    }
  }

  /** Resolves when nothing is being deleted. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#timer)
    await this.#running
  }
}
