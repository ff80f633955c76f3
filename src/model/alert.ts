import type { Severity } from './rule.ts'

/** What an alert is about: a rule's matches, a rule that fails, or Caracal itself. */
export const ALERT_TYPES = ['RULE', 'RULE_ERROR', 'SYSTEM'] as const
export type AlertType = (typeof ALERT_TYPES)[number]

/** What an alert says, from the match that began its group; kept as JSON in state. */
export interface AlertBody {
  readonly type: AlertType
  readonly title: string
  readonly dedup: string
  readonly displayName: string
  readonly description: string
  readonly reference: string
  readonly runbook: string
  readonly tags: readonly string[]
  readonly reports: Readonly<Record<string, readonly string[]>>
  /** Rule-given destinations; `null`: by configuration. */
  readonly destinations: readonly string[] | null
  /** Exact JSON text of the context object, or `null`. */
  readonly context: string | null
  /** What failed in the rule's functions beside `rule()`: function → error. */
  readonly functionErrors: Readonly<Record<string, string>>
  readonly threshold: number
  firstEventTime: string
  lastEventTime: string
  logTypes: string[]
  /** Indicator field → values, at most `MAX_INDICATORS` each. */
  indicators: Record<string, string[]>
  /** True when the cap above cut values away. */
  indicatorsCut: boolean
  /** Exact JSON text of the event that began the group, at most `MAX_SAMPLE_CHARS`, else `null`. */
  sampleEvent: string | null
  /** From line to alert: milliseconds between receipt and commit of the match that opened it. */
  latencyMs: number | null
  sourceLabels: string[]
  /** What the threshold counts when the rule has a function `unique`; forgotten once the alert is open. */
  unique?: UniqueCount
}

/** Distinct values, so far. */
export interface UniqueCount {
  /** Hashes of the values, 12 hex digits each: all of them, or the smallest `MAX_UNIQUE` when there are more. */
  values: string[]
  /** Matches that count by themselves because `unique` failed on them. */
  plain: number
  /** There were more values than are kept: their number is an estimate, good to one per cent. */
  estimated: boolean
}

/** A group of matches of one rule and dedup string within one window: an alert once `opened`. */
export interface AlertWindow {
  readonly alertId: string
  readonly ruleId: string
  /** Hash of rule id and dedup string. */
  readonly groupKey: string
  readonly startMs: number
  readonly endMs: number
  opened: boolean
  severity: Severity
  eventCount: number
  createdMs: number
  updatedMs: number
  body: AlertBody
  /** Not in the store yet. */
  fresh: boolean
}

export const MAX_INDICATORS = 500
export const MAX_UNIQUE = 10_000
export const MAX_SAMPLE_CHARS = 64 * 1024
