import type { RuleSpan } from '../model/rule-span.ts'
import type { RuleOff } from '../stages/detect/language.ts'

/** Maximum number of ended spans stored, the latest ones. Lasting spans are all stored. */
const MAX_ENDED = 1000

/** Spans that ended longer ago are only judged late on request. */
const LATE_MS = 24 * 60 * 60_000

/** What a rule missed while it was off. */
export interface MissedEvents {
  readonly ruleId: string
  readonly logTypes: readonly string[]
  readonly fromMs: number
  readonly toMs: number
}

/** The times when rules were off, across restarts. */
export class RuleSpans {
  #spans: RuleSpan[]
  readonly #logTypesOf: (ruleId: string) => readonly string[]
  /** Events of lasting spans that are missing in their rule's present count: from an earlier start, or an earlier version of the rule. */
  readonly #before = new Map<string, number>()
  /** The rule's count when it was last read. */
  readonly #counted = new Map<string, number>()

  /** `saved`: the value of `all` at the end of the last run. */
  constructor(saved: readonly RuleSpan[], logTypesOf: (ruleId: string) => readonly string[]) {
    this.#spans = [...saved]
    this.#logTypesOf = logTypesOf
    for (const { ruleId, toMs, events } of saved) if (toMs === null) this.#before.set(ruleId, events)
  }

  get all(): readonly RuleSpan[] {
    return this.#spans
  }

  /** What rules that are on again missed, while it is not decided who judges it: all spans of a rule together. */
  missed(nowMs: number): MissedEvents[] {
    const byRule = new Map<string, MissedEvents>()
    const off = new Set(this.#spans.filter(({ toMs }) => toMs === null).map(({ ruleId }) => ruleId))
    for (const { ruleId, logTypes, fromMs, toMs, ...span } of this.#spans) {
      if (off.has(ruleId) || toMs === null || toMs < nowMs - LATE_MS || span.events === 0 || span.late !== undefined) continue
      const before = byRule.get(ruleId)
      byRule.set(ruleId, {
        ruleId,
        logTypes: [...new Set([...(before?.logTypes ?? []), ...logTypes])],
        fromMs: Math.min(before?.fromMs ?? fromMs, fromMs),
        toMs: Math.max(before?.toMs ?? toMs, toMs),
      })
    }
    return [...byRule.values()]
  }

  /** Marks spans as judged by this replay; '': by none. What the rule missed later, while the replay was being requested, is still due. */
  judgedBy({ ruleId, toMs }: Pick<MissedEvents, 'ruleId' | 'toMs'>, replayId: string): void {
    this.#spans = this.#spans.map((span) =>
      span.ruleId === ruleId && span.toMs !== null && span.toMs <= toMs && span.late === undefined
        ? { ...span, late: replayId }
        : span,
    )
  }

  /** Takes the rules that are off now; returns whether anything has changed. */
  update(off: readonly RuleOff[], nowMs: number): boolean {
    const byRule = new Map(off.map((one) => [one.ruleId, one]))
    const lasting = new Set<string>()
    let isChanged = false
    this.#spans = this.#spans.map((span) => {
      if (span.toMs !== null) return span
      const one = byRule.get(span.ruleId)
      if (one) {
        lasting.add(span.ruleId)
        // A changed rule is counted from 0 again.
        if (one.missed < (this.#counted.get(span.ruleId) ?? 0)) this.#before.set(span.ruleId, span.events)
        this.#counted.set(span.ruleId, one.missed)
      }
      const events = one ? (this.#before.get(span.ruleId) ?? 0) + one.missed : span.events
      const next = { ...span, events, why: one?.message ?? span.why, toMs: one ? null : nowMs }
      if (next.events === span.events && next.why === span.why && next.toMs === null) return span
      isChanged = true
      return next
    })
    for (const { ruleId, message, missed } of off) {
      if (lasting.has(ruleId)) continue
      isChanged = true
      // Events missed before belong to an earlier span.
      const earlier = this.#spans.some((span) => span.ruleId === ruleId) ? missed : 0
      this.#before.set(ruleId, -earlier)
      this.#counted.set(ruleId, missed)
      this.#spans.push({
        ruleId,
        logTypes: this.#logTypesOf(ruleId),
        why: message,
        fromMs: nowMs,
        toMs: null,
        events: missed - earlier,
      })
    }
    const tooMany = this.#spans.filter(({ toMs }) => toMs !== null).length - MAX_ENDED
    if (tooMany > 0) {
      let left = tooMany
      this.#spans = this.#spans.filter(({ toMs }) => toMs === null || left-- <= 0)
    }
    return isChanged
  }
}
