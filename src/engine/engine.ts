import type { Config } from '../config/config.ts'
import type { SourceActivity } from '../model/activity.ts'
import type { StoredAlert } from '../model/alert.ts'
import type { ContentCause } from '../model/content-history.ts'
import type { Panel, Span } from '../model/dashboard.ts'
import type { Deletion, DeletionAsk } from '../model/deletion.ts'
import type { Explanation } from '../model/explanation.ts'
import type { Subscribe } from '../model/news.ts'
import type { JobOwner } from '../model/query-job.ts'
import type { BacktestReplay, Replay, ReplayAsk } from '../model/replay.ts'
import type { Severity } from '../model/rule.ts'
import type { SearchRun } from '../model/search-run.ts'
import type { DeadLetterSample } from '../pipeline/dead-letter-samples.ts'
import type { LiveStatus } from '../stages/enrich/live/live-status.ts'
import type { Intake } from '../stages/source/source.ts'
import type { StoredNode } from '../state/nodes.ts'
import type { StateReader } from '../state/read.ts'
import type { ForwardedHeaders } from '../util/http/forwarded.ts'
import type { Accounts } from './accounts/accounts.ts'
import type { Audit } from './accounts/audit.ts'
import type { Tokens } from './accounts/tokens.ts'
import type { Desk } from './alert-desk.ts'
import type { Authoring } from './authoring/authoring.ts'
import type { RuleText } from './authoring/rule-text.ts'
import type { RunningBackup } from './backup/backups.ts'
import type { UndoneContent } from './content-undo.ts'
import type { DestinationKind } from './destination-kinds.ts'
import type { RetentionCalls } from './lifetime/open-retention.ts'
import type { LastingProblem } from './problems.ts'
import type { Asked, AskOptions } from './queries/ask.ts'
import type { ContentDashboard } from './queries/dashboards.ts'
import type { OwnJobs } from './queries/jobs.ts'
import type { PanelQuery } from './queries/panels.ts'
import type { ContentSearch } from './queries/searches.ts'
import type { JudgedRule, RuleState } from './rule-states.ts'
import type { RuleView } from './rule-views.ts'
import type { Settings } from './settings/settings.ts'
import type { TablePast } from './table-past.ts'

/** One source, for display. Counts are of records since the data folder was created. */
export interface SourceView {
  readonly id: string
  readonly type: string
  readonly label: string
  readonly logTypes: readonly string[]
  readonly received: number
  readonly stored: number
  readonly filtered: number
  readonly deadLettered: number
  readonly deadLetterReasons: Readonly<Record<string, number>>
  /** Filter → records it dropped. */
  readonly filters: Readonly<Record<string, number>>
  /** Log type → stored records whose log type was guessed. */
  readonly guessed: Readonly<Record<string, number>>
  /** Read and not yet committed. */
  readonly inFlight: number
  readonly backlogBytes: number
  readonly notices: readonly string[]
  /** What it sends, and when; `undefined` for a source that was removed with its data. */
  readonly activity: SourceActivity | undefined
  /** System problems that are about it, one sentence each. */
  readonly problems: readonly string[]
  /** Its last dead letters since the last start. */
  readonly deadLetterSamples: readonly DeadLetterSample[]
  readonly unknownFields: readonly { readonly logType: string; readonly field: string; readonly count: number }[]
}

/** One lookup table, for display. */
export interface TableView {
  readonly name: string
  readonly rows: number
  readonly version: string | undefined
  /** `ok`, `shipped` (content next to the definition, no refresh yet), `static` (never refreshed), `stale`, `missing`, `failing`. */
  readonly state: string
  /** A sentence on what is wrong, or undefined. */
  readonly problem: string | undefined
  readonly refreshedMs: number | undefined
  /** Seconds since the content in force was known to be current; of shipped content, since its date. */
  readonly ageSeconds: number | undefined
  readonly nextRefreshMs: number | undefined
  readonly provider: string
  readonly file: string
  /** How a live table is filled; `undefined` for any other. */
  readonly live: LiveStatus | undefined
}

/** A table after a refresh. */
export interface RefreshedTable extends TableView {
  /** Why edits of content are not in force: the table is refreshed with its previous definition. */
  readonly contentProblems: ContentChange['problems']
  /** Checks that the content in force did not pass: it was accepted nevertheless. */
  readonly passedOver: readonly string[]
}

/** Whether the promise is in danger that nothing is lost and no rule is silently off. */
export interface Health {
  readonly status: 'ok' | 'degraded' | 'failing'
  /** Sentences: what is wrong, since when, what to do. */
  readonly problems: readonly string[]
  /** The same in the same order, for programs. */
  readonly systemProblems: readonly LastingProblem[]
  /** Sentences on what is valid but worth knowing. */
  readonly notices: readonly string[]
  /** The processes that share the state; absent: this one has it alone. */
  readonly nodes?: readonly StoredNode[]
}

/** What is loaded, for the startup summary and the API. */
export interface ContentView {
  readonly rules: readonly RuleView[]
  readonly schemas: readonly string[]
  /** Schemas with their files, absolute. */
  readonly schemaFiles: readonly { readonly name: string; readonly file: string }[]
  readonly tables: number
  /** Everything that cannot work: broken files, then unknown names, then rules that do not load. */
  readonly problems: readonly { readonly file: string; readonly message: string }[]
  /** Those of `problems` that are about files. */
  readonly broken: readonly { readonly file: string; readonly message: string }[]
  /** Unknown names in content that loads. */
  readonly names: readonly { readonly file: string; readonly message: string }[]
  /** Those of `problems` that are enabled rules whose code does not load. */
  readonly rulesOff: readonly { readonly id: string; readonly message: string }[]
  readonly notices: readonly string[]
}

/** The outcome of rereading the content folders. */
export interface ContentChange {
  /** `broken`: the content in force stays. */
  readonly outcome: 'swapped' | 'unchanged' | 'broken'
  /** The hash of the content in force now. */
  readonly generation: string
  /** A short summary of the changes. */
  readonly summary: string
  /** Milliseconds during which no batch could begin. */
  readonly pauseMs: number
  /** Why it is broken. */
  readonly problems: readonly { readonly file: string; readonly message: string }[]
}

/** The outcome of a requested reload. */
export interface ReloadedContent extends ContentChange {
  /** The outcome of pulling each git repository with content. */
  readonly pulls: readonly {
    readonly name: string
    /** The commit in force. */
    readonly commit: string | undefined
    /** Why it is not the commit of the ref. */
    readonly problem: string | undefined
  }[]
}

/** An alert that was just committed. */
export interface AlertNotice {
  readonly alertId: string
  readonly severity: string
  readonly title: string
  readonly ruleId: string
  /** From receipt of the record to the committed alert. */
  readonly latencyMs: number | null
  readonly sourceLabels: readonly string[]
}

/** A rule, and an event: of the lake by its row id, or a record or event as text. */
export interface ExplainCall {
  readonly ruleId: string
  readonly event: { readonly rowId: string } | { readonly text: string; readonly logType: string | undefined }
  /** The tables in force then, epoch ms. Absent: now. */
  readonly asOfMs: number | undefined
}

/** Content to judge stored events by, and what to compare it with; absent: the content in force. Texts by path below a content root. */
export interface BacktestCall extends Pick<BacktestReplay, 'fromMs' | 'toMs' | 'by' | 'maxEvents' | 'maxMs' | 'asOfMs'> {
  readonly after: Readonly<Record<string, string>>
  readonly before: Readonly<Record<string, string>> | undefined
}

/** The running product as API and CLI see it. */
export interface Engine extends TablePast, RetentionCalls {
  /** The configuration in force. */
  readonly config: Config
  /** Changes the configuration while running. */
  readonly settings: Settings
  /** The tokens of the API, and of sources that have no token themselves. */
  /** Checks what other nodes say about requests that they forward here. */
  readonly forwardedHeaders: Pick<ForwardedHeaders, 'accept'>
  readonly tokens: Tokens
  /** The people who may sign in. */
  readonly accounts: Accounts
  /** Records a change or a refused call as an event. Resolves when it is on disk, or cannot be stored; never rejects. */
  readonly audit: Audit['record']
  /** What state contains. */
  readonly read: StateReader
  /** What is in force now. */
  readonly content: ContentView
  /** The hash of the content in force: events carry it as `p_generation`. */
  readonly generation: string
  /** Pulls content from git, reads the content folders and puts the content in force without downtime. */
  reloadContent(cause: ContentCause, actor?: string): Promise<ReloadedContent>
  /** Reads, tries out and changes content as files. */
  readonly authoring: Authoring
  /** The files of a rule. Rejects with `ConfigError` if there is no such rule. */
  ruleText(ruleId: string): Promise<RuleText>
  /** Undoes the changes of a generation, by default the last: see `undoContent`. */
  undoContent(name: string | undefined, actor: string): Promise<UndoneContent>
  /** True while the bundled sample is being processed (source `demo`). */
  readonly isDemo: boolean
  /** Running sources that put what they receive into the spool, by id. */
  readonly intakes: ReadonlyMap<string, Intake>
  /** Read-only SQL over the lake, in ClickHouse's dialect unless the options say otherwise. */
  query(sql: string, options?: AskOptions): Promise<Asked>
  /** The saved and scheduled queries of the content in force, by name. */
  searches(): Promise<readonly ContentSearch[]>
  /** Runs a scheduled query now and has its rules judge the rows: see `Scheduler.runNow`. */
  judgeSearch(name: string, by: string): Promise<SearchRun>
  /** The dashboards of the content in force, by name. */
  dashboards(): readonly ContentDashboard[]
  /** What runs for a panel about a span of time, epoch ms; `undefined` if it names a query that does not exist. */
  panelQuery(panel: Panel, span: Span): Promise<PanelQuery | undefined>
  /** The queries of a caller, which run without the caller waiting. */
  jobs(owner: JobOwner): OwnJobs
  /** Carries out what people do to alerts. */
  readonly desk: Desk
  sources(): Promise<readonly SourceView[]>
  /** What alerts can be sent to. */
  destinationKinds(): readonly DestinationKind[]
  /** Sends a test alert. Rejects with `ConfigError` if there is no such destination, otherwise as the destination does. */
  testDestination(id: string, severity: Severity): Promise<void>
  tables(): Promise<readonly TableView[]>
  /** The current state of rules. */
  ruleStates(rules: readonly JudgedRule[]): readonly RuleState[]
  /**
   * Applies edits of content and refreshes now; resolves with the outcome. `accept`: content may fail the table's checks this time. Throws
   * `ConfigError` for an unknown table.
   */
  refreshTable(name: string, options?: { readonly accept?: boolean }): Promise<RefreshedTable>
  health(): Promise<Health>
  /** Prometheus text. */
  metrics(): Promise<string>
  /** Deletes every trace of a source's events: lake rows, alerts based only on it, cursors, counters. */
  removeSource(sourceId: string): Promise<void>
  /** Begins to delete a value from everything that is stored. Rejects with `Refused` if one is running, or the value cannot be deleted. */
  deleteValue(ask: DeletionAsk): Promise<Deletion>
  /** `undefined` if the id is unknown. */
  deletion(id: string): Promise<Deletion | undefined>
  /** Begins a backup into a new or empty folder; aborting the signal ends it and leaves nothing. See `Backups.begin`. */
  backUp(folder: string, signal: AbortSignal): Promise<RunningBackup>
  /** Resolves when the source has nothing left to read and all of it is committed. */
  settled(sourceId: string): Promise<void>
  /** Every stored replay, oldest first. */
  replays(): Promise<readonly Replay[]>
  /** Queues a replay. Rejects with `Refused` if it makes no sense, with `RetryLater` if the queue is full. */
  addReplay(ask: ReplayAsk): Promise<Replay>
  /** Queues a backtest, which is a replay. Rejects with `Refused` if the content cannot be used, with `RetryLater` if the queue is full. */
  addBacktest(call: BacktestCall): Promise<Replay>
  /** Ends a replay where it is. `undefined` if there is no such replay. */
  cancelReplay(id: string): Promise<Replay | undefined>
  /** Explains a rule's result on an event, with the content as it is now. Rejects with `Refused` if there is no such rule or event. */
  explain(ask: ExplainCall): Promise<Explanation>
  /** The bundle of an alert, with which another machine can decide it again. Rejects with `Refused` if it cannot be made. */
  bundle(alert: StoredAlert): Promise<Uint8Array>
  onAlert(listener: (alert: AlertNotice) => void): void
  /** Begins to listen to what happens. */
  readonly news: Subscribe
  /** Resolves when the engine cannot continue (a thread died); never rejects. */
  readonly failed: Promise<Error>
  /** Stops reading, commits and flushes work in progress, ends threads and child processes. */
  stop(): Promise<void>
}
