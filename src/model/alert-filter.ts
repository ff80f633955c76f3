import type { AlertStatus, StoredAlert } from './alert.ts'
import type { AlertQuality } from './alert-work.ts'
import type { Severity } from './rule.ts'

/** Which alerts to list. What is absent does not matter. */
export interface AlertFilter {
  /** One of these; none: any. */
  readonly severities?: readonly Severity[]
  readonly statuses?: readonly AlertStatus[]
  readonly ruleId?: string | undefined
  /** `null`: alerts without an owner. */
  readonly owner?: string | null | undefined
  readonly quality?: AlertQuality | undefined
  /** Opened at or after this time, and before that one; epoch ms. */
  readonly sinceMs?: number | undefined
  readonly untilMs?: number | undefined
  /** Whether to list muted alerts. Default: also. */
  readonly muted?: 'no' | 'only' | undefined
  readonly mutedBy?: string | undefined
  /** Whether to list alerts that were merged into another. Default: also. */
  readonly merged?: 'no' | 'only' | undefined
  readonly mergedInto?: string | undefined
  /** Only those on hold. */
  readonly held?: boolean | undefined
  /** Among the tags of its rule or those that people gave it. */
  readonly tag?: string | undefined
  readonly logType?: string | undefined
  /** Only alerts all of whose log types fit one of these patterns. */
  readonly seenLogTypes?: readonly string[] | undefined
  /** Among its indicators. */
  readonly indicator?: string | undefined
  /** Part of its title, rule, dedup string or an indicator, in any case. */
  readonly text?: string | undefined
}

/** For paging: the last alert that was read. */
export interface AlertPlace {
  readonly createdMs: number
  readonly alertId: string
}

export interface AlertPage {
  readonly alerts: readonly StoredAlert[]
  /** Where the next page begins; absent on the last one. */
  readonly next?: AlertPlace
}

/** How many alerts meet a filter, and how many would with another value in it; most first. */
export interface AlertCounts {
  readonly total: number
  readonly severities: readonly AlertCount[]
  readonly statuses: readonly AlertCount[]
  /** By id. */
  readonly rules: readonly AlertCount[]
  /** `null`: without an owner. */
  readonly owners: readonly AlertCount[]
  /** False: only the newest alerts were counted. */
  readonly complete: boolean
}

export interface AlertCount {
  readonly value: string | null
  readonly count: number
}
