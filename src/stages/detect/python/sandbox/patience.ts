import { readFileSync } from 'node:fs'
import type { Beat, Meter } from '../interpreter/watch.ts'

/** How to treat the current call. `slow`: it may have to be stopped. `stop`: stop it by a signal. `end`: end the process, which has not stopped. */
export type Verdict = 'wait' | 'slow' | 'stop' | 'end'

/** CPU time, in ms, for a call to stop after its own process has interrupted it. */
const OVERTIME_MS = 100

/**
 * Rule code that runs between two calls reports but is not interrupted by its own process, since it is not a call.
 * It is stopped after twice the limit plus this CPU time, in ms.
 */
const BETWEEN_CALLS_MS = 1500

/** An interrupted process stops within a few ms. It is killed after this CPU time or this elapsed time. */
const STOPPING_WORK_MS = 3000
const STOPPING_MS = 10_000

/**
 * A hung call: this multiple of its limit has passed (within these bounds, in ms), and it has used less than this share
 * of the time. A call that works at all, however small its share of the machine, reaches its limit.
 */
const HANG_LIMITS = 30
const HANG_LEAST_MS = 30_000
const HANG_MOST_MS = 300_000
const HANG_SHARE = 0.002

/** Maximum time counted between two checks: more means that no check could run, as on a paused machine. */
const MAX_STEP_MS = 250

/**
 * How long the parent waits for one request to a child. A call that reads its interrupt buffer ends itself (`watch.ts`) and
 * reports continually; this covers calls that do not. CPU time counts here as well.
 */
export class Patience {
  readonly #limitMs: number
  readonly #meter: Meter
  #mark: number | undefined
  #isInterrupted = false
  /** Time since the call began, as far as is known, since the last report, and since the last check. */
  #since: number
  #checked: number
  /** CPU time at the first check of this call, and at the first one since it last reported; `undefined`: none yet. */
  #callWork: number | undefined
  #silentWork: number | undefined
  /** CPU time at the first check after it was interrupted by its own process. */
  #toldWork: number | undefined
  /** Elapsed time and CPU time since the last report. */
  #silentMs = 0
  #stopped: { readonly work: number; ms: number } | undefined
  #isSlow = false
  #hangs = false

  /** `meter`: the child's processor time, by the parent's clock. */
  constructor(limitMs: number, meter: Meter) {
    this.#limitMs = limitMs
    this.#meter = meter
    this.#since = this.#checked = meter.now()
  }

  /** The last reported mark. */
  get mark(): number | undefined {
    return this.#mark
  }

  /** Why a call was stopped. */
  get tooLong(): string {
    return this.#hangs
      ? `a call did nothing for ${Math.round(this.#silentMs / 1000)} s`
      : `a call took longer than ${this.#limitMs} ms of processor time`
  }

  get isInterrupted(): boolean {
    return this.#isInterrupted
  }

  hear({ mark, ms, interrupted }: Beat): void {
    if (this.#mark !== mark) {
      this.#mark = mark
      this.#since = this.#meter.now() - ms
      this.#callWork = this.#stopped = undefined
    }
    if (!interrupted) this.#toldWork = undefined
    this.#isInterrupted = interrupted
    this.#silentWork = undefined
    this.#silentMs = 0
  }

  /** To be called several times within a limit. Returns `slow` once. */
  check(): Verdict {
    const now = this.#meter.now()
    const step = Math.min(now - this.#checked, MAX_STEP_MS)
    this.#checked = now
    this.#silentMs += step
    if (!this.#stopped && now - this.#since < this.#limitMs / 4) return 'wait'
    const work = this.#meter.worked()
    this.#callWork ??= work
    this.#silentWork ??= work
    if (this.#stopped) {
      this.#stopped.ms += step
      const isOver = work - this.#stopped.work >= STOPPING_WORK_MS || this.#stopped.ms >= STOPPING_MS
      return isOver ? 'end' : 'stop'
    }
    if (this.#isTooLong(work)) {
      this.#stopped = { work, ms: 0 }
      return 'stop'
    }
    if (this.#isSlow || work - this.#callWork < this.#limitMs / 8) return 'wait'
    this.#isSlow = true
    return 'slow'
  }

  #isTooLong(work: number): boolean {
    if (this.#isInterrupted) {
      this.#toldWork ??= work
      return work - this.#toldWork >= OVERTIME_MS
    }
    const silent = work - this.#silentWork!
    if (silent >= this.#limitMs || work - this.#callWork! >= 2 * this.#limitMs + BETWEEN_CALLS_MS) return true
    const hang = Math.min(Math.max(HANG_LIMITS * this.#limitMs, HANG_LEAST_MS), HANG_MOST_MS)
    this.#hangs = this.#silentMs >= hang && silent < HANG_SHARE * this.#silentMs
    return this.#hangs
  }
}

/** The CPU time of another process's main thread, if the system reports it (Linux); otherwise a quarter of the elapsed time. */
export function childMeter(pid: number | undefined): Meter {
  const now = performance.now.bind(performance)
  return { now, worked: isMetered() ? () => workedBy(pid) : () => now() / 4 }
}

let metered: boolean | undefined
function isMetered(): boolean {
  metered ??= !Number.isNaN(workedBy(process.pid))
  return metered
}

/** In ms; NaN when the process has ended. */
function workedBy(pid: number | undefined): number {
  const folder = `/proc/${pid}/task/${pid}`
  return firstOf(`${folder}/schedstat`) / 1e6 || ticksOf(`${folder}/stat`) * 10
}

function firstOf(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8').split(' ')[0])
  } catch {
    return Number.NaN
  }
}

/** In hundredths of a second. */
function ticksOf(file: string): number {
  try {
    const fields = readFileSync(file, 'utf8').split(') ')[1]!.split(' ')
    return Number(fields[11]) + Number(fields[12])
  } catch {
    return Number.NaN
  }
}
