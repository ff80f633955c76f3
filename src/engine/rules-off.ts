import type { RuleSpan } from '../model/rule-span.ts'
import { type MissedEvents, RuleSpans } from '../pipeline/rule-spans.ts'
import type { Detector } from '../stages/detect/language.ts'
import type { StateDb } from '../state/db.ts'
import { getMeta, setMeta } from '../state/sources.ts'
import type { RulesProgress } from './pipeline-calls.ts'

const KEY = 'rule_spans'
/** Events missed by rules that are off are counted continuously, and stored at this interval. */
const EVERY_MS = 10_000

export interface RulesOffDeps {
  readonly db: StateDb
  readonly report: (progress: RulesProgress) => void
  /** Spans could not be stored. */
  readonly onError: (error: unknown) => void
  readonly now: () => number
  /** Rules that have missed events may be on again. */
  readonly onMissed: () => void
}

/** Stores and reports which rules are off and what they missed. */
export class RulesOff {
  readonly #deps: RulesOffDeps
  readonly #spans: RuleSpans
  readonly #logTypes = new Map<string, readonly string[]>()
  #detectors: readonly Detector[] | undefined
  #nextMs = 0
  #saved: Promise<void> = Promise.resolve()

  private constructor(deps: RulesOffDeps, saved: readonly RuleSpan[]) {
    this.#deps = deps
    this.#spans = new RuleSpans(saved, (ruleId) => this.#logTypes.get(ruleId) ?? [])
  }

  /** Reads what was stored. Nothing is off before `watch`. */
  static async open(deps: RulesOffDeps): Promise<RulesOff> {
    return new RulesOff(deps, JSON.parse((await getMeta(deps.db, KEY)) ?? '[]') as RuleSpan[])
  }

  /** From now on these detectors judge, with these rules. */
  watch(detectors: readonly Detector[], rules: readonly { readonly id: string; readonly logTypes: readonly string[] }[]): void {
    // The counts of the previous detectors: those of changed rules begin at 0.
    this.#look(false)
    this.#detectors = detectors
    this.#logTypes.clear()
    for (const { id, logTypes } of rules) this.#logTypes.set(id, logTypes)
    this.#look(true)
  }

  changed(): void {
    this.#look(false)
  }

  committed(): void {
    if (this.#deps.now() >= this.#nextMs) this.#look(false)
  }

  /** Events that rules missed and that no replay is judging yet. */
  missed(): readonly MissedEvents[] {
    return this.#spans.missed(this.#deps.now())
  }

  /** This replay judges one of `missed`; '': none does. */
  judgedBy(missed: MissedEvents, replayId: string): void {
    this.#spans.judgedBy(missed, replayId)
    this.#save()
    this.#look(true)
  }

  /** Stores the latest counts. */
  async close(): Promise<void> {
    this.#look(false)
    await this.#saved
  }

  #look(isFirst: boolean): void {
    const { report, now, onMissed } = this.#deps
    if (!this.#detectors) return
    this.#nextMs = now() + EVERY_MS
    const off = this.#detectors.flatMap(
      (detector) =>
        detector.off?.() ??
        detector.setupErrors.map(({ ruleId, cause, message }) => ({ ruleId, cause, message, missed: 0, retryMs: undefined })),
    )
    const isChanged = this.#spans.update(off, now())
    if (isChanged) this.#save()
    if (isChanged || isFirst) report({ off, spans: this.#spans.all })
    if (this.missed().length > 0) onMissed()
  }

  #save(): void {
    const { db, onError } = this.#deps
    const text = JSON.stringify(this.#spans.all)
    this.#saved = this.#saved.then(() => setMeta(db, KEY, text)).catch(onError)
  }
}
