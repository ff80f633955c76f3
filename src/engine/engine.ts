import type { Config } from '../config/config.ts'
import type { AlertStatus } from '../model/alert.ts'
import type { ContentCause } from '../model/content-history.ts'
import type { Replay, ReplayAsk } from '../model/replay.ts'
import type { QueryOptions, QueryResult } from '../stages/store/lake.ts'
import type { StateReader } from '../state/read.ts'
import type { UndoneContent } from './content-undo.ts'
import type { LastingProblem } from './problems.ts'
import type { RuleState } from './rule-states.ts'

/** One source, for people. Counts are of records and hold since the data folder was made. */
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
  /** Filter → records that it kept out. */
  readonly filters: Readonly<Record<string, number>>
  /** Log type → stored records that are of it by a guess. */
  readonly guessed: Readonly<Record<string, number>>
  /** Read and not yet committed. */
  readonly inFlight: number
  readonly backlogBytes: number
  readonly notices: readonly string[]
  readonly unknownFields: readonly { readonly logType: string; readonly field: string; readonly count: number }[]
}

/** One lookup table, for people. */
export interface TableView {
  readonly name: string
  readonly rows: number
  readonly version: string | undefined
  /** `ok`, `shipped` (content beside the definition, no refresh yet), `static` (never refreshed), `stale`, `missing`, `failing`. */
  readonly state: string
  /** A sentence on what is wrong, or undefined. */
  readonly problem: string | undefined
  readonly refreshedMs: number | undefined
  readonly nextRefreshMs: number | undefined
  readonly provider: string
  readonly file: string
}

/** A table after a refresh. */
export interface RefreshedTable extends TableView {
  /** Why edits of content are not in force: the table is refreshed as it was defined before them. */
  readonly contentProblems: ContentChange['problems']
}

/** `ok`, or what stands in the way of the promise that nothing is lost and no rule is silently off. */
export interface Health {
  readonly status: 'ok' | 'degraded' | 'failing'
  /** Sentences: what is wrong, since when, what to do. */
  readonly problems: readonly string[]
  /** The same, for programs: in the same order. */
  readonly systemProblems: readonly LastingProblem[]
  /** Sentences on what is in order but worth knowing. */
  readonly notices: readonly string[]
}

/** What is loaded, for the start's summary and the API. */
export interface ContentView {
  readonly rules: readonly {
    readonly id: string
    readonly displayName: string
    readonly enabled: boolean
    readonly severity: string
    readonly logTypes: readonly string[]
    /** Keys that `overrides.yml` of a content root sets, and where. */
    readonly overrides: readonly { readonly key: string; readonly file: string; readonly line: number | undefined }[]
  }[]
  readonly schemas: readonly string[]
  readonly tables: number
  /** Everything that cannot work: broken files, names that nothing answers to, then rules that do not load. */
  readonly problems: readonly { readonly file: string; readonly message: string }[]
  /** Those of `problems` that are files. */
  readonly broken: readonly { readonly file: string; readonly message: string }[]
  /** Names that nothing answers to, in content that loads. */
  readonly names: readonly { readonly file: string; readonly message: string }[]
  /** Those of `problems` that are enabled rules whose code does not load. */
  readonly rulesOff: readonly { readonly id: string; readonly message: string }[]
  readonly notices: readonly string[]
}

/** The outcome of rereading the content folders. */
export interface ContentChange {
  /** `broken`: what was in force stays. */
  readonly outcome: 'swapped' | 'unchanged' | 'broken'
  /** The hash of the content in force now. */
  readonly generation: string
  /** The changes in a few words. */
  readonly summary: string
  /** Milliseconds in which no batch could begin. */
  readonly pauseMs: number
  /** Why it is broken. */
  readonly problems: readonly { readonly file: string; readonly message: string }[]
}

/** The outcome of a requested reload. */
export interface ReloadedContent extends ContentChange {
  /** The outcome of pulling each repository that content comes from. */
  readonly pulls: readonly {
    readonly name: string
    /** The commit in force. */
    readonly commit: string | undefined
    /** Why it is not what the ref is at. */
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

/** The running product as API and CLI see it. */
export interface Engine {
  readonly config: Config
  /** The bearer token of the API and of sources without one of their own. */
  readonly token: string
  /** What is kept in state. */
  readonly read: StateReader
  /** What is in force now. */
  readonly content: ContentView
  /** The hash of the content in force: events carry it as `p_generation`. */
  readonly generation: string
  /** Pulls content from git, reads the content folders and puts what they hold in force while everything runs. */
  reloadContent(cause: ContentCause, actor?: string): Promise<ReloadedContent>
  /** Undoes what a generation changed, the last one without a name: see `undoContent`. */
  undoContent(name: string | undefined, actor: string): Promise<UndoneContent>
  /** The bundled sample is being sent through the path (source `demo`). */
  readonly isDemo: boolean
  /** The ingest handler of a source, or `undefined` when there is no such http source. */
  ingest(sourceId: string): ((request: Request) => Promise<Response>) | undefined
  /** Read-only SQL over the lake; what is committed and not yet flushed is flushed first when `fresh`. */
  query(sql: string, options?: QueryOptions & { readonly fresh?: boolean }): Promise<QueryResult>
  /** False: no such alert. */
  setAlertStatus(alertId: string, status: AlertStatus): Promise<boolean>
  sources(): Promise<readonly SourceView[]>
  tables(): Promise<readonly TableView[]>
  /** How rules do now. */
  ruleStates(rules: ContentView['rules']): readonly RuleState[]
  /** Takes edits of content and refreshes now; resolves with how it went. Throws `ConfigError` for an unknown table. */
  refreshTable(name: string): Promise<RefreshedTable>
  health(): Promise<Health>
  /** Prometheus text. */
  metrics(): Promise<string>
  /** Deletes every trace of a source's events: lake rows, alerts of it alone, cursors, counters. */
  removeSource(sourceId: string): Promise<void>
  /** Resolves when the source has nothing left to read and everything of it is committed. */
  settled(sourceId: string): Promise<void>
  /** Every replay that is kept, oldest first. */
  replays(): Promise<readonly Replay[]>
  /** Takes a replay into the queue. Rejects with `Refused` when it makes no sense, with `RetryLater` when too many wait. */
  addReplay(ask: ReplayAsk): Promise<Replay>
  /** Ends a replay where it is. `undefined`: there is no such one. */
  cancelReplay(id: string): Promise<Replay | undefined>
  onAlert(listener: (alert: AlertNotice) => void): void
  /** Resolves when the engine cannot go on (a thread died); rejects never. */
  readonly failed: Promise<Error>
  /** Stops reading, commits and flushes what is under way, ends threads and children. */
  stop(): Promise<void>
}
