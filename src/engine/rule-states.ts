import type { RuleSpan } from '../model/rule-span.ts'
import { type SystemProblem, systemProblem } from '../model/system-problem.ts'
import type { PipelineProgress, RulesProgress } from './pipeline-calls.ts'
import type { RuleView } from './rule-views.ts'

/** A rule whose last error is older than this is no longer `erring`. */
const ERRING_MS = 60 * 60_000

/** The state of a rule, for display. */
export interface RuleState {
  readonly ruleId: string
  /**
   * `off`: disabled, or it cannot be loaded. `waiting`: it is off for a reason that may pass (no time to load it, or it ended its process),
   * and is retried. `erring`: it runs, and had an error within the last hour.
   */
  readonly state: 'on' | 'off' | 'waiting' | 'erring'
  /** Start of the state; `undefined`: since startup, or unknown. */
  readonly sinceMs: number | undefined
  /** Why it is not simply on. */
  readonly why: string | undefined
  /** Since startup. */
  readonly matches: number
  readonly errors: number
  /** Last match and last error since startup. */
  readonly lastMatchMs: number | undefined
  readonly lastError: { readonly atMs: number; readonly message: string } | undefined
  /** Time spent in the rule since startup. */
  readonly seconds: number
  /** Times when it was off; the last one may still last. */
  readonly spans: readonly RuleSpan[]
}

/** What the state of a rule depends on. */
export type JudgedRule = Pick<RuleView, 'id' | 'enabled' | 'overrides'>

type Judged = Pick<PipelineProgress, 'matches' | 'ruleErrors' | 'lastErrors' | 'ruleSeconds'>

interface Counts {
  matches: number
  errors: number
  seconds: number
  lastMatchMs: number | undefined
  /** Start of the errors that have occurred at least once an hour, and the last of them. */
  erringSinceMs: number
  lastErrorMs: number
  lastError: string
}

/** Collects the pipeline's reports about rules. */
export class RuleStates {
  readonly #now: () => number
  readonly #counts = new Map<string, Counts>()
  #progress: RulesProgress = { off: [], spans: [] }

  constructor(now: () => number) {
    this.#now = now
  }

  committed({ matches, ruleErrors, lastErrors, ruleSeconds }: Judged): void {
    const now = this.#now()
    for (const [ruleId, n] of matches) {
      const counts = this.#of(ruleId)
      counts.matches += n
      counts.lastMatchMs = now
    }
    for (const [ruleId, seconds] of ruleSeconds) this.#of(ruleId).seconds += seconds
    for (const [ruleId, n] of ruleErrors) {
      const counts = this.#of(ruleId)
      counts.errors += n
      if (now - counts.lastErrorMs > ERRING_MS) counts.erringSinceMs = now
      counts.lastErrorMs = now
    }
    for (const [ruleId, message] of lastErrors) this.#of(ruleId).lastError = message
  }

  /** The set of rules that are off has changed. */
  set(progress: RulesProgress): void {
    this.#progress = progress
  }

  /** One problem for each rule that is off although it should run. */
  get problems(): readonly SystemProblem[] {
    return this.#progress.off.map(({ ruleId, message, retryMs }) => {
      const span = this.#progress.spans.find((one) => one.ruleId === ruleId && one.toMs === null)
      const since = span ? ` since ${time(span.fromMs)}` : ''
      const missed = span && span.events > 0 ? ` ${span.events} events were not judged by it.` : ''
      const again = retryMs === undefined ? '' : ' It will be retried automatically.'
      return systemProblem('RuleOff', ruleId, `Rule ${ruleId} is off${since}: ${message}.${missed}${again}`)
    })
  }

  of({ id, enabled, overrides }: JudgedRule): RuleState {
    const { off, spans } = this.#progress
    const own = spans.filter(({ ruleId }) => ruleId === id)
    const counts = this.#counts.get(id)
    const { matches = 0, errors = 0, lastErrorMs = 0, erringSinceMs, lastError, lastMatchMs, seconds = 0 } = counts ?? {}
    const last = errors > 0 ? { atMs: lastErrorMs, message: lastError ?? '' } : undefined
    const common = { ruleId: id, matches, errors, lastMatchMs, lastError: last, seconds, spans: own }
    const disabler = overrides.find(({ key }) => key === 'Enabled')
    if (!enabled) return { ...common, state: 'off', sinceMs: undefined, why: `it is disabled in ${disabler?.file ?? 'its file'}` }
    const now = off.find(({ ruleId }) => ruleId === id)
    if (now) {
      const { retryMs, message } = now
      const sinceMs = own.find(({ toMs }) => toMs === null)?.fromMs
      if (retryMs === undefined) return { ...common, state: 'off', sinceMs, why: message }
      return { ...common, state: 'waiting', sinceMs, why: `${message}; retried at ${time(retryMs)}` }
    }
    if (errors > 0 && this.#now() - lastErrorMs <= ERRING_MS)
      return { ...common, state: 'erring', sinceMs: erringSinceMs, why: lastError }
    return { ...common, state: 'on', sinceMs: own.at(-1)?.toMs ?? undefined, why: undefined }
  }

  #of(ruleId: string): Counts {
    let counts = this.#counts.get(ruleId)
    if (!counts) {
      counts = {
        ...{ matches: 0, errors: 0, seconds: 0, lastMatchMs: undefined },
        ...{ erringSinceMs: 0, lastErrorMs: Number.NEGATIVE_INFINITY, lastError: '' },
      }
      this.#counts.set(ruleId, counts)
    }
    return counts
  }
}

function time(ms: number): string {
  return new Date(ms).toISOString()
}
