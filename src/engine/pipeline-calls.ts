import type { SourceConfig } from '../config/config.ts'
import type { DeliveryResult } from '../model/batch.ts'
import type { TableSpec } from '../model/column.ts'
import type { ContentMark } from '../model/content-history.ts'
import type { Dashboard } from '../model/dashboard.ts'
import type { Learned } from '../model/learned.ts'
import type { SavedQuery, ScheduledQuery } from '../model/query.ts'
import type { Replay, ReplayAsk } from '../model/replay.ts'
import type { RuleSpan } from '../model/rule-span.ts'
import type { SystemProblem } from '../model/system-problem.ts'
import type { PackMembers } from '../packs/pack-members.ts'
import type { DeadLetterSample } from '../pipeline/dead-letter-samples.ts'
import type { RuleOff } from '../stages/detect/language.ts'
import type { QueryRows } from '../stages/detect/scheduled/rows.ts'
import type { TableDefinition } from '../stages/enrich/definition.ts'
import type { ContentFileRef, VersionInForce } from '../stages/enrich/keeper-types.ts'
import type { Missed } from '../stages/enrich/live/missed-addresses.ts'
import type { BuiltTable } from '../stages/enrich/table.ts'
import type { Lake, QueryResult } from '../stages/store/lake.ts'
import type { ErasedState, StateErasure } from '../state/erase.ts'
import type { TokenAnswer, TokenAsk } from '../state/tokens.ts'
import type { UserRowsAnswer, UserRowsAsk } from '../state/user-rows.ts'
import { hash16 } from '../util/hash.ts'
import type { DeskAnswers, DeskAsk } from './alert-desk.ts'
import type { LogTypeReads } from './blind/reads.ts'
import type { AlertNotice, ContentView } from './engine.ts'
import type { BuiltContent } from './live-content.ts'
import type { ContentProblem } from './path.ts'
import type { JudgedRows } from './queries/judged-rows.ts'
import type { TableStateToSave } from './table-records.ts'
import type { TableFiles } from './table-work/jobs.ts'

/** The main thread's calls to the pipeline thread, which is the only writer of state. */
export interface PipelineCalls {
  /** What is loaded. */
  content: () => ContentReport
  /** Reads the content folders again and prepares the content next to what is running; without settings, those in force apply. */
  buildContent: (settings?: ContentSettings) => BuiltContent
  /** Puts what was built last in force between two batches, unless the lake cannot follow it. */
  swapContent: () => SwappedContent
  /** Records which content files have changed since the last call; resolves, when that is durable, with those in folders of this machine. */
  recordContent: (mark: ContentMark) => string[]
  /** Opens the sources and begins to read. Tables must be in force by now. */
  start: () => void
  /** No further batch begins; resolves when those in progress are committed. */
  stopReading: () => void
  /** Ends everything; finished work is stored. */
  stop: () => void
  /** Builds a table of that content and puts it in force. Rejects, with the old one in force, if it cannot be built. */
  acceptTable: (content: ContentFileRef) => BuiltTable
  /** A table's content has changed: resolves once it is durable that past events will be searched for what it learned. */
  tableChanged: (change: VersionInForce) => void
  /** Past events will be searched for these keys of a table, which is in force with them: resolves once that is durable. */
  learned: (learned: Learned) => void
  /** Stores a table's state, and the outcome of a refresh for the lake. */
  saveTableState: (state: TableStateToSave) => void
  /** The files that define a table. */
  tableFiles: (name: string) => TableFiles
  /** Begins to read one more source, which the content in force knows. */
  openSource: (source: SourceConfig) => void
  /** Ends reading a source that is settled and that nothing is sent to any more. */
  closeSource: (sourceId: string) => void
  /** Resolves when the source has nothing to read and all of it is committed; immediately for a source that is not read at all. */
  settled: (sourceId: string) => void
  /** Writes what is committed to the lake. */
  flush: () => void
  /** True: nothing moves to the lake from now on; resolves when nothing is on its way. Calls of `flush` wait until the pause ends. */
  pauseFlushes: (isPaused: boolean) => void
  /** Carries out what people do to alerts. */
  desk: (ask: DeskAsk) => DeskAnswers[DeskAsk['do']]
  /** Changes tokens of the API. */
  tokens: (ask: TokenAsk) => TokenAnswer
  /** Changes users, their sessions and what they sign in with. */
  userRows: (ask: UserRowsAsk) => UserRowsAnswer
  deliveryResults: (results: readonly DeliveryResult[]) => void
  /** Deletes the source's cursors, counts and alerts. */
  removeSource: (source: { sourceId: string; label: string }) => void
  /** See `eraseFromState`. */
  eraseState: (ask: StateErasure) => ErasedState
  setMeta: (entry: { key: string; value: string }) => void
  sources: () => readonly SourceProgress[]
  /** Raises alerts for those problems that have none yet. */
  raise: (problems: readonly SystemProblem[]) => void
  deadLetterSamples: (sourceId: string) => readonly DeadLetterSample[]
  /** Judges a scheduled query's rows with the rules that name it; the results are stored together with the due time. */
  judgeRows: (rows: QueryRows) => JudgedRows
  /** Every stored replay, oldest first. */
  replays: () => readonly Replay[]
  /** Queues a replay. Rejects with `Refused` if it makes no sense, with `RetryLater` if the queue is full. */
  addReplay: (ask: ReplayAsk) => Replay
  /** The replay's state after that; `undefined` if there is no such replay. */
  cancelReplay: (id: string) => Replay | undefined
}

/** The pipeline thread's calls to main, and its reports. */
export interface MainCalls {
  ensure: (ask: { table: TableSpec; late: boolean | undefined }) => Awaited<ReturnType<Lake['ensure']>>
  store: (ask: { table: TableSpec; file: string; token: string }) => Awaited<ReturnType<Lake['store']>>
  query: (ask: { sql: string; maxRows: number; counted?: boolean }) => QueryResult
  /** A batch, or another single transaction, was committed. */
  progress: (progress: PipelineProgress) => void
  /** All current problems of the pipeline. */
  problems: (problems: readonly SystemProblem[]) => void
  /** Addresses that occurred in events and that live tables lack. */
  missed: (missed: readonly Missed[]) => void
  /** A rule went off or on; also reported regularly while one is off. */
  rules: (progress: RulesProgress) => void
  /** A sentence: rules are judged more slowly than they could be. */
  slower: (message: string) => void
  /** The loop has ended with this error: nothing more is read. */
  failed: (error: string) => void
}

/** What the configuration says about content, as far as it can change while running. */
export interface ContentSettings {
  /** Every source, including the built-in ones. */
  readonly sources: readonly SourceConfig[]
  readonly disabledPacks: readonly string[]
  readonly enabledPacks: readonly string[]
}

export interface SwappedContent {
  /** Milliseconds during which no batch could begin. */
  readonly pauseMs: number
  /** Why it could not be put in force. */
  readonly problems: readonly ContentProblem[]
}

/** What is loaded and running. */
export interface ContentReport {
  /** The generation's hash. */
  readonly generation: string
  readonly content: ContentView
  /** What each pack holds, on or off. */
  readonly packs: readonly PackMembers[]
  /** Enabled tables, for the keeper. */
  readonly tables: readonly TableDefinition[]
  /** Every lake table that content may query. */
  readonly lakeTables: readonly TableSpec[]
  /** The fields that enabled rules read, by log type. */
  readonly reads: readonly LogTypeReads[]
  /** Enabled scheduled queries whose rows some enabled rule judges or that are mailed. */
  readonly queries: readonly ScheduledQuery[]
  readonly savedQueries: readonly SavedQuery[]
  /** Also those that do not run. */
  readonly scheduledQueries: readonly ScheduledQuery[]
  readonly dashboards: readonly Dashboard[]
  /** Sentences on scheduled queries that cannot run; the content's notices include them. */
  readonly queryNotices: readonly string[]
  /** A sentence on the processes that run rules, if there are any. */
  readonly children: string | undefined
}

/** The key in state of the last due time that a scheduled query has completed. */
export function queryKey(name: string): string {
  return `query:${hash16(name)}`
}

/** The key in state of the outcome of a scheduled query's last run, a `SearchRun` as JSON. */
export function queryRunKey(name: string): string {
  return `query-run:${hash16(name)}`
}

/** What was committed, in numbers. */
export interface PipelineProgress {
  /** `undefined` if it did not come from a source's batch. */
  readonly sourceId: string | undefined
  readonly observations: readonly (readonly [stage: string, seconds: number])[]
  readonly matches: readonly (readonly [ruleId: string, n: number])[]
  readonly ruleErrors: readonly (readonly [ruleId: string, n: number])[]
  readonly lastErrors: readonly (readonly [ruleId: string, message: string])[]
  readonly ruleSeconds: readonly (readonly [ruleId: string, seconds: number])[]
  /** From receipt to the committed alert row, for each opened alert. */
  readonly latenciesMs: readonly number[]
  readonly opened: readonly AlertNotice[]
  /** Ids of alerts that were open before and have got more matches. */
  readonly grown: readonly string[]
  readonly hasDeliveries: boolean
}

/** Which rules are off, and when rules were off. */
export interface RulesProgress {
  readonly off: readonly RuleOff[]
  /** Oldest first. */
  readonly spans: readonly RuleSpan[]
}

export interface SourceProgress {
  readonly id: string
  readonly inFlight: number
  /** When the oldest record that was read and is not committed was received. */
  readonly oldestMs?: number | undefined
  readonly backlogBytes: number
  readonly notices: readonly string[]
  /** Those of the notices that say what cannot be read. */
  readonly problems?: readonly string[]
  /** Milliseconds since the call in progress began; 0 without one. */
  readonly waitingMs: number
}
