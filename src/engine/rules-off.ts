import type { RuleSpan } from '../model/rule-span.ts'
import { RuleSpans } from '../pipeline/rule-spans.ts'
import type { Detector } from '../stages/detect/language.ts'
import type { StateDb } from '../state/db.ts'
import { getMeta, setMeta } from '../state/sources.ts'
import type { RulesProgress } from './pipeline-messages.ts'

const KEY = 'rule_spans'
/** What rules that are off miss is counted all the time, and written down this often. */
const EVERY_MS = 10_000

export interface RulesOffDeps {
  readonly db: StateDb
  readonly detectors: readonly Detector[]
  readonly rules: readonly { readonly id: string; readonly logTypes: readonly string[] }[]
  readonly report: (progress: RulesProgress) => void
  /** Spans could not be written down. */
  readonly onError: (error: unknown) => void
  readonly now: () => number
}

/** Keeps in state, and reports, which rules are off and what they missed. */
export class RulesOff {
  readonly #deps: RulesOffDeps
  readonly #spans: RuleSpans
  #nextMs = 0
  #saved: Promise<void> = Promise.resolve()

  private constructor(deps: RulesOffDeps, spans: RuleSpans) {
    this.#deps = deps
    this.#spans = spans
  }

  static async open(deps: RulesOffDeps): Promise<RulesOff> {
    const saved = JSON.parse((await getMeta(deps.db, KEY)) ?? '[]') as RuleSpan[]
    const logTypes = new Map(deps.rules.map((rule) => [rule.id, rule.logTypes]))
    const opened = new RulesOff(deps, new RuleSpans(saved, (ruleId) => logTypes.get(ruleId) ?? []))
    opened.#look(true)
    return opened
  }

  /** A rule went off or is on again. */
  changed(): void {
    this.#look(false)
  }

  /** A batch was committed. */
  committed(): void {
    if (this.#deps.now() >= this.#nextMs) this.#look(false)
  }

  /** Writes down what was counted last. */
  async close(): Promise<void> {
    this.#look(false)
    await this.#saved
  }

  #look(isFirst: boolean): void {
    const { db, detectors, report, onError, now } = this.#deps
    this.#nextMs = now() + EVERY_MS
    const off = detectors.flatMap(
      (detector) =>
        detector.off?.() ??
        detector.setupErrors.map(({ ruleId, cause, message }) => ({ ruleId, cause, message, missed: 0, retryMs: undefined })),
    )
    const isChanged = this.#spans.update(off, now())
    if (isChanged) {
      const text = JSON.stringify(this.#spans.all)
      this.#saved = this.#saved.then(() => setMeta(db, KEY, text)).catch(onError)
    }
    if (isChanged || isFirst) report({ off, spans: this.#spans.all })
  }
}
