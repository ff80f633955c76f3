import type { AlertType } from './alert.ts'
import type { IndicatorField } from './event.ts'
import type { Severity } from './rule.ts'

export const REPLAY_STATES = ['queued', 'running', 'done', 'cancelled', 'failed'] as const
export type ReplayState = (typeof REPLAY_STATES)[number]

interface ReplayMode {
  /** Reports what would happen without changing anything. */
  readonly dryRun: boolean
  /** Alerts go to destinations. */
  readonly deliver: boolean
}

/** Dead letters are parsed again. */
export interface LetterReplay extends ReplayMode {
  readonly kind: 'dead-letters'
  /** Source ids; empty: all. */
  readonly sources: readonly string[]
  /** Empty: all. */
  readonly reasons: readonly string[]
  /** Only letters received since then, epoch ms. */
  readonly sinceMs?: number | undefined
}

/** Stored events are judged again. */
export interface EventReplay extends ReplayMode {
  readonly kind: 'events'
  readonly logTypes: readonly string[]
  /** The range, its end exclusive, epoch ms. */
  readonly fromMs: number
  readonly toMs: number
  /** Which time of events is meant. */
  readonly by: 'event' | 'received'
  /** Rule ids; empty: all that judge these log types. */
  readonly rules: readonly string[]
  /** Join events with the tables in force at that time, epoch ms. Absent: now. */
  readonly asOfMs?: number | undefined
}

/** Stored events are judged again because a table learned of values that they contain. Never asked for by people. */
export interface RetroReplay extends Omit<EventReplay, 'kind'> {
  readonly kind: 'retro-match'
  readonly table: string
  /** The version of the table that has the values. */
  readonly version: string
  /** The indicator that the values are found under. */
  readonly field: IndicatorField
}

/** Stored events are judged by content that is not in force, and by what it is compared with. Always a dry run. */
export interface BacktestReplay extends Omit<EventReplay, 'kind'> {
  readonly kind: 'backtest'
  /** The folder of the content to judge, within `backtests` of the data folder. */
  readonly after: string
  /** The same for what it is compared with; absent: the content in force. */
  readonly before?: string | undefined
  /** It ends after this number of events, and after judging for this number of milliseconds. */
  readonly maxEvents: number
  readonly maxMs: number
}

export type ReplayAsk = LetterReplay | EventReplay | RetroReplay | BacktestReplay

/** Counts before and after a change, and how many are only there before or only after. */
export interface Difference {
  readonly before: number
  readonly after: number
  readonly added: number
  readonly removed: number
}

/** What a change of a rule does to its matches and alerts. */
export interface RuleComparison {
  readonly ruleId: string
  readonly change: 'added' | 'changed' | 'removed'
  readonly matches: Difference
  /** Filled in at the end: alerts of the same dedup string at the same time are the same alert. */
  readonly alerts: Difference
  readonly errors: { readonly before: number; readonly after: number }
  /** The last error after the change. */
  readonly lastError?: string | undefined
  /** The first alerts that are only there after, or only before. */
  readonly addedAlerts: readonly ReplayAlert[]
  readonly removedAlerts: readonly ReplayAlert[]
}

/** A value that a table learned of, and when events have it: epoch seconds, both included. Then when it was learned, epoch ms. */
export type FoundSpan = readonly [value: string, from: number, to: number, learnedMs: number]

/** A source whose dead letters, or a log type whose events are replayed. */
export interface ReplayPart {
  readonly name: string
  /** Records when the replay began. */
  readonly records: number
}

/** Where a replay goes on: behind the record with this time and row id of a part. */
export interface ReplayCursor {
  readonly part: number
  readonly after?: { readonly time: string; readonly rowId: string } | undefined
}

/** A match found, for people. */
export interface ReplaySample {
  readonly time: string
  readonly rowId: string
  readonly logType: string
  readonly title: string
}

export interface RuleTally {
  readonly ruleId: string
  /** Matches that were not known before. */
  readonly matches: number
  /** Matches of the same version of the rule that were stored before. */
  readonly known: number
  readonly errors: number
  readonly lastError?: string | undefined
  readonly samples: readonly ReplaySample[]
}

export interface ReplayAlert {
  readonly alertId: string
  readonly ruleId: string
  readonly type: AlertType
  readonly title: string
  readonly dedup: string
  readonly severity: Severity
  readonly events: number
  readonly firstEventTime: string
  readonly lastEventTime: string
}

/** The progress and results of a replay so far. */
export interface ReplayReport {
  /** Records read. */
  readonly records: number
  /** Dead letters that became events. */
  readonly stored: number
  /** Dead letters that a filter keeps out now. */
  readonly filtered: number
  /** Why records still cannot be used → how many. */
  readonly failing: Readonly<Record<string, number>>
  readonly rules: readonly RuleTally[]
  /** Alerts opened. */
  readonly alerts: number
  /** The first of them. */
  readonly firstAlerts: readonly ReplayAlert[]
}

export const EMPTY_REPORT: ReplayReport = {
  records: 0,
  stored: 0,
  filtered: 0,
  failing: {},
  rules: [],
  alerts: 0,
  firstAlerts: [],
}

/** A replay as it is kept. Plain JSON. */
export interface Replay {
  readonly id: string
  readonly ask: ReplayAsk
  readonly state: ReplayState
  readonly createdMs: number
  readonly startedMs?: number
  readonly endedMs?: number
  /** The hash of the content that judged last. */
  readonly generation?: string
  /** Table → the version that events were joined with last. */
  readonly tables?: Readonly<Record<string, string>>
  /** Absent: not begun. */
  readonly parts?: readonly ReplayPart[]
  /** Of a retro-match until it is over: log type → when its events have the values, in order. Only these events are read. */
  readonly found?: Readonly<Record<string, readonly FoundSpan[]>>
  /** Number of rows of the lake's events tables that a retro-match has read. */
  readonly rowsRead?: number
  readonly cursor: ReplayCursor
  readonly report: ReplayReport
  /** Of a backtest: the rules that differ. */
  readonly comparison?: readonly RuleComparison[]
  /** What a sentence is about → the sentence: why it waits, why it failed, what a person should know. */
  readonly notes: Readonly<Record<string, string>>
}
