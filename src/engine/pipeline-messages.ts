import type { AlertWindow } from '../model/alert.ts'
import type { TableSpec } from '../model/column.ts'
import type { SavedQuery, ScheduledQuery } from '../model/query.ts'
import type { RuleSpan } from '../model/rule-span.ts'
import type { RuleOff } from '../stages/detect/language.ts'
import type { TableDefinition } from '../stages/enrich/definition.ts'
import { hash16 } from '../util/hash.ts'
import type { AlertNotice, ContentView } from './engine.ts'

/** Told once, when content is loaded and rules are running. */
export interface PipelineReady {
  readonly content: ContentView
  /** Enabled tables, for the keeper. */
  readonly tables: readonly TableDefinition[]
  /** Every table of the lake that content may ask for. */
  readonly lakeTables: readonly TableSpec[]
  /** Enabled scheduled queries whose rows some enabled rule judges. */
  readonly queries: readonly ScheduledQuery[]
  readonly savedQueries: readonly SavedQuery[]
  /** Sentences on scheduled queries that cannot run; the content's notices hold them too. */
  readonly queryNotices: readonly string[]
  /** A sentence on the processes that run rules, if there are any. */
  readonly children: string | undefined
}

/** The key in state of the due time that a scheduled query has come to. */
export function queryKey(name: string): string {
  return `query:${hash16(name)}`
}

/** Told after every committed batch. */
export interface PipelineProgress {
  /** `undefined`: it came of something that is no source's batch. */
  readonly sourceId: string | undefined
  readonly observations: readonly (readonly [stage: string, seconds: number])[]
  readonly matches: readonly (readonly [ruleId: string, n: number])[]
  readonly ruleErrors: readonly (readonly [ruleId: string, n: number])[]
  readonly lastErrors: readonly (readonly [ruleId: string, message: string])[]
  readonly ruleSeconds: readonly (readonly [ruleId: string, seconds: number])[]
  /** Received → alert row committed, of each alert opened. */
  readonly latenciesMs: readonly number[]
  readonly opened: readonly AlertNotice[]
  readonly hasDeliveries: boolean
}

/** What people hear of an alert that was opened. */
export function noticeOf({ alertId, severity, ruleId, body }: AlertWindow): AlertNotice {
  const { title, latencyMs, sourceLabels } = body
  return { alertId, severity, ruleId, title, latencyMs, sourceLabels }
}

/** Told when a rule goes off or on, and now and then while one is off. */
export interface RulesProgress {
  readonly off: readonly RuleOff[]
  /** Oldest first. */
  readonly spans: readonly RuleSpan[]
}

export interface SourceProgress {
  readonly id: string
  readonly inFlight: number
  readonly backlogBytes: number
  readonly notices: readonly string[]
  /** Those of the notices that say what cannot be read. */
  readonly problems?: readonly string[]
  /** Milliseconds that the current call to it has taken; 0 without one. */
  readonly waitingMs: number
}
