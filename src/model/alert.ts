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
  /** Hashes of the values, 12 hex digits each: all of them, or the smallest `most` when there are more. */
  values: string[]
  /** Values kept at most; absent: `MAX_UNIQUE`. */
  readonly most?: number
  /** Matches that count by themselves because `unique` failed on them. */
  plain: number
  /** There were more values than are kept: their number is an estimate, good to one over the root of the number kept. */
  estimated: boolean
}

/** Findings that share alerts: those of one rule with one dedup string, the errors of one rule, or system problems of one cause. */
export interface GroupRef {
  /** Hash of what the findings have in common. */
  readonly groupKey: string
  readonly ruleId: string
}

/** Windows of rules that end after one time and not after another, epoch ms. */
export interface CrowdRef {
  readonly ruleIds: readonly string[]
  readonly fromMs: number
  readonly toMs: number
  /** Windows of the past judged again, instead of the live ones. */
  readonly retroactive?: true
}

/** A group of matches of one rule and dedup string within one window: an alert once `opened`. */
export interface AlertWindow extends GroupRef {
  readonly alertId: string
  /** Which window of its group it is; 0: it has its id from a version that did not number them. */
  readonly number: number
  /** Hash of the rule as it was for the first match, code included; `null` when it has none or was not kept. */
  readonly ruleVersion: string | null
  /** It was made by judging the past again: it runs on the time of events, and no live match ever joins it. */
  readonly retroactive?: true
  readonly startMs: number
  readonly endMs: number
  opened: boolean
  severity: Severity
  eventCount: number
  createdMs: number
  updatedMs: number
  body: AlertBody
}

/** What people may set an alert to. */
export const ALERT_STATUSES = ['OPEN', 'TRIAGED', 'RESOLVED', 'CLOSED'] as const
export type AlertStatus = (typeof ALERT_STATUSES)[number]

/** A window as it is kept, with what people say of it. */
export interface StoredAlert extends AlertWindow {
  readonly status: AlertStatus
}

/** What state holds of one group. */
export interface KnownGroup {
  /** By their start. */
  readonly windows: readonly AlertWindow[]
  /** The number of the group's next window: no window of the group ever had it. */
  readonly nextNumber: number
}

/** What state holds of the groups that a decision names. */
export interface KnownGroups {
  /** By group key. A group that was never seen, or whose windows are deleted, has no windows and a number all the same. */
  readonly groups: ReadonlyMap<string, KnownGroup>
  /** Rule id → how many windows of it there are, as the decision asks. */
  readonly crowds: ReadonlyMap<string, number>
}

/** A state that holds nothing yet. */
export const NOTHING_KNOWN: KnownGroups = { groups: new Map(), crowds: new Map() }

/** How long an ended window still counts against the limit of windows for a rule. */
export const CROWD_SPAN_MS = 60 * 60_000

export const MAX_INDICATORS = 500
export const MAX_UNIQUE = 10_000
export const MAX_SAMPLE_CHARS = 64 * 1024
