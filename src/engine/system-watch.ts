import { kindOf, type SystemProblem, systemProblem } from '../model/system-problem.ts'
import { messageOf } from '../util/errors.ts'
import type { Check } from './checks/check.ts'
import type { LastingProblem, Problems } from './problems.ts'

export interface SystemWatchDeps {
  readonly problems: Problems
  readonly checks: readonly Check[]
  /** Raises alerts for those problems that have none yet. */
  readonly raise: (problems: readonly SystemProblem[]) => Promise<void>
  readonly now: () => number
}

const EVERY_MS = 5000
/** A check that takes longer than this is stuck. */
const ANSWER_MS = 30_000
/** A call of `health` waits no longer than this for checks in progress. */
const HEALTH_WAIT_MS = 2000
/** Results younger than this are current enough for it. */
const FRESH_MS = 1000
/** Interval at which the pipeline is called again about the same problems: one that lasts is eventually alerted again. */
const AGAIN_MS = 60_000

/** Runs the checks repeatedly, and has alerts raised for problems that last. */
export class SystemWatch {
  readonly #deps: SystemWatchDeps
  #timer: NodeJS.Timeout | undefined
  #checking: Promise<void> | undefined
  #checkedMs = Number.NEGATIVE_INFINITY
  #isRaising = false
  #raised: { readonly signature: string; readonly atMs: number } | undefined

  constructor(deps: SystemWatchDeps) {
    this.#deps = deps
  }

  /** Resolves when every check has run once. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.tick(), EVERY_MS)
    this.#timer.unref()
    await this.#check()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** One round: all checks, then alerts. Never rejects. */
  async tick(): Promise<void> {
    await this.#check()
    if (this.#isRaising) return
    this.#isRaising = true
    await this.#raise()
    this.#isRaising = false
  }

  /** What is wrong now; for a slow check, its last result. */
  async current(): Promise<readonly LastingProblem[]> {
    if (Math.abs(this.#deps.now() - this.#checkedMs) >= FRESH_MS) await within(HEALTH_WAIT_MS, this.#check()).catch(() => {})
    return this.#deps.problems.current
  }

  #check(): Promise<void> {
    this.#checking ??= this.#runAll().finally(() => {
      this.#checking = undefined
    })
    return this.#checking
  }

  async #runAll(): Promise<void> {
    const { problems, checks } = this.#deps
    const stuck: SystemProblem[] = []
    await Promise.all(
      checks.map(async (check) => {
        try {
          problems.report(
            check.name,
            await within(
              ANSWER_MS,
              Promise.resolve().then(() => check.run()),
            ),
          )
        } catch (error) {
          stuck.push(systemProblem('PathStuck', check.name, `Caracal cannot check ${check.name}: ${messageOf(error)}`))
        }
      }),
    )
    problems.report('checks', stuck)
    this.#checkedMs = this.#deps.now()
  }

  async #raise(): Promise<void> {
    const { problems, raise, now } = this.#deps
    const lasting = problems.current.filter(({ what, sinceMs }) => now() - sinceMs >= kindOf(what).afterMs)
    const signature = JSON.stringify(lasting.map(({ what, key, severity, covers }) => [what, key, severity, covers]))
    const isKnown = this.#raised?.signature === signature && Math.abs(now() - this.#raised.atMs) < AGAIN_MS
    if (lasting.length === 0 || isKnown) return
    try {
      await raise(lasting)
      this.#raised = { signature, atMs: now() }
      problems.report('alerts', [])
    } catch (error) {
      const message = `Alerts about Caracal itself cannot be written: ${messageOf(error)}`
      problems.report('alerts', [systemProblem('PathStuck', 'alerts', message)])
    }
  }
}

/** The promise's outcome, or a rejection after this many milliseconds. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms)
    timer.unref()
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
