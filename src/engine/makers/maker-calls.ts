import type { Config } from '../../config/config.ts'
import type { LimitHit } from '../../model/limit.ts'
import type { CacheWrite, Finding, RuleError } from '../../model/match.ts'
import type { RowOrigin } from '../../model/schema.ts'
import type { Content } from '../../packs/content.ts'
import type { Observation, ParsedPart } from '../../pipeline/generation.ts'
import type { MadeBatch } from '../../pipeline/made-batch.ts'
import type { PathBatch } from '../../pipeline/path.ts'
import type { AskedRows, GivenRows } from '../../pipeline/table-writer.ts'
import type { RuleOff } from '../../stages/detect/language.ts'
import type { Missed } from '../../stages/enrich/live/missed-addresses.ts'
import type { AnyImage } from '../../stages/enrich/open.ts'
import type { HeaderField } from '../../stages/normalise/header-schema.ts'
import type { AskingEnd } from '../../util/ask.ts'
import type { ContentSource } from '../generation.ts'

/** A maker thread's start arguments. */
export interface MakerOptions {
  readonly config: Pick<
    Config,
    'data_dir' | 'max_record_bytes' | 'max_depth' | 'rule_timeout_ms' | 'rule_errors' | 'shadow_every'
  >
  /** Answers its questions about logs that only their header describes (`AskedHeader`). */
  readonly headers: AskingEnd
}

/** The pipeline thread's calls to a maker, where each generation has a number. */
export interface MakerCalls {
  /** Prepares a generation next to others: starts what runs its rules. */
  open: (content: MakerContent) => MakerReport
  /** Resolves when as few rules as possible see each event. */
  prefiltered: (generation: number) => void
  /** `next` continues from the state of `before`: what it found out about the rules in `unchanged` still applies. */
  swap: (change: { before: number; next: number; unchanged: ReadonlySet<string> }) => void
  /** Ends the generation, except what it shares with `kept`. */
  close: (which: { generation: number; kept: number | undefined }) => void
  /** Puts a table in force. */
  putTable: (put: { generation: number; image: AnyImage }) => void
  make: (job: MakeJob) => MakeAnswer
  judge: (events: { generation: number; logType: string; ndjson: Uint8Array }) => JudgeAnswer
  stop: () => void
}

export interface MakerNews {
  /** The batch of that number is parsed. */
  parsed: (news: ParsedPart & { number: number }) => void
  /** A rule went off or is on again. */
  rules: (news: { generation: number } & RulesInMaker) => void
  /** What a batch writes into tables; the answer is what it sees of them. */
  wrote: (asked: AskedRows) => GivenRows
  /** Addresses that live tables lack. */
  missed: (missed: readonly Missed[]) => void
  /** A sentence: rules are judged more slowly than they could be. */
  slower: (message: string) => void
  /** What prevents judging; `undefined`: nothing any more. */
  trouble: (message: string | undefined) => void
}

/** A question about a log without a schema, sent while the batch of that number is parsed. */
export interface AskedHeader {
  readonly generation: number
  readonly number: number
  readonly logType: string
  readonly header: readonly HeaderField[]
  readonly sourceId: string
}

export interface MakerContent {
  readonly generation: number
  /** The generation in force: unchanged parts are reused. */
  readonly before: number | undefined
  readonly content: Content
  readonly sources: readonly ContentSource[]
  readonly roots: readonly string[]
  /** Folders whose rules are judged in separate processes. */
  readonly apart: readonly string[] | undefined
  /** Log types for which some rule remembers. */
  readonly left: ReadonlySet<string>
  readonly tables: readonly AnyImage[]
  /** By source, those that replace tables of the same name. */
  readonly pinned: ReadonlyMap<string, readonly AnyImage[]>
}

export interface MakerReport extends RulesInMaker {
  readonly hash: string
  /** Log type → rules that judge it, in order. */
  readonly ruleIds: ReadonlyMap<string, readonly string[]>
}

/** The state of one maker's rules. */
export interface RulesInMaker {
  readonly off: readonly RuleOff[]
  readonly setupErrors: readonly RuleError[]
  readonly pids: readonly number[]
}

export interface MakeJob {
  /** Increases from batch to batch. */
  readonly number: number
  readonly generation: number
  readonly batch: Omit<PathBatch, 'onParsed'>
  readonly origin: RowOrigin
  /** Its place among the batches that write tables. Absent: there are no such tables, or it is only tried. */
  readonly place: number | undefined
}

/** Rules after judging a batch. */
interface Judging {
  /** Rule id → events that it missed while it was off, since it was loaded. */
  readonly missed: readonly (readonly [ruleId: string, events: number])[]
  readonly timings: readonly { readonly ruleId: string; readonly seconds: number; readonly events: number }[]
}

/** `failed`: the maker lives, but the batch cannot be made. */
export type MakeAnswer =
  | ({ readonly made: MadeBatch; readonly observations: readonly Observation[] } & Judging)
  | { readonly failed: string }

export type JudgeAnswer =
  | ({
      readonly findings: readonly Finding[]
      readonly cacheWrites: readonly CacheWrite[]
      readonly limits: readonly LimitHit[]
    } & Judging)
  | { readonly failed: string }
