import type { AlertHold, AlertWork } from './alert-work.ts'
import type { ActiveMute } from './mute.ts'
import type { Severity } from './rule.ts'
import type { SummaryCounts } from './summary.ts'

/** What an alert is about: matches of a rule of some kind, such a rule that fails, or Caracal itself. */
export const ALERT_TYPES = [
  'RULE',
  'RULE_ERROR',
  'SCHEDULED_RULE',
  'SCHEDULED_RULE_ERROR',
  'CORRELATION_RULE',
  'CORRELATION_RULE_ERROR',
  'POLICY',
  'POLICY_ERROR',
  'SYSTEM',
] as const
export type AlertType = (typeof ALERT_TYPES)[number]

/** Whether the alert is about a rule that fails, of any kind. */
export function isRuleError(type: AlertType): boolean {
  return type.endsWith('_ERROR')
}

/** Stands for the dedup strings of an alert that collects a rule's matches beyond its limit of windows. */
export const CROWD_DEDUP = 'Caracal: further dedup strings'

/** What an alert says, taken from the match that opened its window; stored as JSON in state. */
export interface AlertBody {
  readonly type: AlertType
  readonly title: string
  /** `CROWD_DEDUP` if the alert collects the matches of many dedup strings. */
  readonly dedup: string
  readonly displayName: string
  readonly description: string
  readonly reference: string
  readonly runbook: string
  readonly tags: readonly string[]
  readonly reports: Readonly<Record<string, readonly string[]>>
  /** Destinations chosen by the rule; `null`: by configuration. */
  readonly destinations: readonly string[] | null
  /** Exact JSON text of the context object, or `null`. */
  readonly context: string | null
  /** Errors in the rule's functions other than `rule()`: function → error. */
  readonly functionErrors: Readonly<Record<string, string>>
  readonly threshold: number
  firstEventTime: string
  lastEventTime: string
  logTypes: string[]
  /** Indicator field → values, at most `MAX_INDICATORS` each. */
  indicators: Record<string, string[]>
  /** True when that limit dropped values. */
  indicatorsCut: boolean
  /** Exact JSON text of the event that began the group, at most `MAX_SAMPLE_CHARS`, else `null`. */
  sampleEvent: string | null
  /** Milliseconds between receipt and commit of the match that opened it. */
  latencyMs: number | null
  sourceLabels: string[]
  /** Why past events were judged again. */
  readonly learned?: LearnedLater
  /** What people last knew of the alert: how many events it had, and its severity. Absent before it is open. */
  notified?: { readonly events: number; readonly severity: Severity }
  /** Values of the rule's summary attributes. Absent: it has none. */
  summaries?: SummaryCounts[]
  /** What the threshold counts when the rule has a `unique` function; dropped once the alert is open. */
  unique?: UniqueCount
}

/** What a table learned after an event that has the value was first judged. */
export interface LearnedLater {
  readonly table: string
  readonly value: string
  /** When the table learned of it, RFC 3339. */
  readonly time: string
}

/** Distinct values so far. */
export interface UniqueCount {
  /** Hashes of the values, 12 hex digits each: all of them, or only the smallest `most` if there are more. */
  values: string[]
  /** Maximum number of hashes kept. Default: `MAX_UNIQUE`. */
  readonly most?: number
  /** Matches that count individually because `unique` failed on them. */
  plain: number
  /** There were more values than are kept, so the count is an estimate with a relative error of about 1/√(number kept). */
  estimated: boolean
}

/**
 * Findings that share alerts: matches of one rule with one dedup string, errors of one rule, or system problems with one cause.
 */
export interface GroupRef {
  /** Hash of what the findings have in common. */
  readonly groupKey: string
  readonly ruleId: string
}

/** Windows of rules that end within a time range, epoch ms. */
export interface CrowdRef {
  readonly ruleIds: readonly string[]
  readonly fromMs: number
  readonly toMs: number
  /** Windows made by rejudging the past, instead of live ones. */
  readonly retroactive?: true
}

/** The matches of one rule and dedup string within one window; an alert once `opened`. */
export interface AlertWindow extends GroupRef {
  readonly alertId: string
  /** Its number within its group; 0 if its id comes from a version that did not number windows. */
  readonly number: number
  /** Hash of the rule, code included, at the first match; `null` if it has none or it was not recorded. */
  readonly ruleVersion: string | null
  /** Made by rejudging the past: it uses event time, and live matches never join it. */
  readonly retroactive?: true
  readonly startMs: number
  readonly endMs: number
  opened: boolean
  /** The mute that covers all of its matches so far; null or absent if there is no such mute. */
  mutedBy?: string | null
  /** As stored; absent for a new window. */
  status?: AlertStatus
  severity: Severity
  eventCount: number
  createdMs: number
  updatedMs: number
  body: AlertBody
}

/** A version of a lookup table that was joined to an event of an alert. */
export interface AlertTable {
  readonly alertId: string
  readonly table: string
  readonly version: string
}

/** The statuses that people can give an alert. */
export const ALERT_STATUSES = ['OPEN', 'TRIAGED', 'RESOLVED', 'CLOSED'] as const
export type AlertStatus = (typeof ALERT_STATUSES)[number]

/** A stored window, with what people recorded about it. */
export interface StoredAlert extends AlertWindow, AlertWork {
  readonly status: AlertStatus
  readonly mutedBy: string | null
  /** The legal hold it is on. */
  readonly hold: AlertHold | null
}

/** The stored windows of one group. */
export interface KnownGroup {
  /** Ordered by start. */
  readonly windows: readonly AlertWindow[]
  /** The number for the group's next window; no window of the group has ever had it. */
  readonly nextNumber: number
}

/** The stored windows of the groups that a decision names. */
export interface KnownGroups {
  /** By group key. A group that was never seen, or whose windows were deleted, has no windows but still has a number. */
  readonly groups: ReadonlyMap<string, KnownGroup>
  /** Rule id → number of its windows, for the rules that the decision asks about. */
  readonly crowds: ReadonlyMap<string, number>
  /** Mutes in force, oldest first. Absent: none. */
  readonly mutes?: readonly ActiveMute[]
  /** Alert id → destinations that it has had deliveries to. */
  readonly sentTo?: ReadonlyMap<string, ReadonlySet<string>>
}

/** An empty state. */
export const NOTHING_KNOWN: KnownGroups = { groups: new Map(), crowds: new Map() }

/** How long an ended window still counts against its rule's limit. */
export const CROWD_SPAN_MS = 60 * 60_000

export const MAX_INDICATORS = 500
export const MAX_UNIQUE = 10_000
export const MAX_SAMPLE_CHARS = 64 * 1024
