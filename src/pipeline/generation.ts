import type { FinishedRows } from '../model/batch.ts'
import type { Rule } from '../model/rule.ts'
import type { RowOrigin } from '../model/schema.ts'
import type { Detector } from '../stages/detect/language.ts'
import type { Enricher, Table } from '../stages/enrich/table.ts'
import type { Parser, ParseSource } from '../stages/parse/parser.ts'
import type { Correlation } from './correlate.ts'
import type { ParsedChunks } from './parse.ts'
import type { PathBatch } from './path.ts'
import type { Risk } from './risk/assess.ts'
import type { EncodedBatch } from './steps.ts'
import type { BatchPlace, WrittenTables } from './table-writer.ts'

/** How the records of one source are parsed, and which tables its events are joined with. */
export interface SourceBinding {
  readonly parse: ParseSource
  /**
   * The tables in force for the source. Read once per batch: a refreshed table counts from the next batch on. `written`: the tables that
   * events write, as the batch sees them; absent: look-ups in these fail.
   */
  readonly enricher: (written?: readonly Table[]) => Enricher
}

/**
 * Everything derived from content, and from what the configuration says about content, as one immutable value. A batch uses the generation
 * in force when it begins, and is parsed, judged, correlated and committed with it, even if another one is in force by then. The rows of
 * tables are not part of it: they have separate versions, which every match records.
 */
export interface Generation {
  /** 16 hex digits, the same for the same content in any folder; stored with every event as `p_generation`. */
  readonly hash: string
  readonly parser: Parser
  /** Started, one for each detection language that has rules. Closed by the code that takes the generation out of force. */
  readonly detectors: readonly Detector[]
  /** Those of `detectors` that judge what makers in other threads have left for them. Absent: batches are judged whole. */
  readonly remembering?: Remembering
  /** Absent: batches are made in this thread. */
  readonly making?: Making
  /** Every enabled rule that can raise alerts, including correlation rules, each with its `version`. */
  readonly rules: ReadonlyMap<string, Rule>
  /** `undefined` if no correlation rule is enabled. */
  readonly correlation: Correlation | undefined
  /** How matches add to the risk of entities. Absent: they do not. */
  readonly risk?: Risk | undefined
  /** Tables that events write. Absent: there are none, or they are neither written nor read. */
  readonly written?: Writing | undefined
  /** By source id. */
  readonly sources: ReadonlyMap<string, SourceBinding>
}

/** The tables of a generation that events write. */
export interface Writing {
  readonly tables: WrittenTables
  /** Called for each batch, in the order in which they begin. */
  begin(receivedMs: number): BatchPlace
  /** As of the newest write, for work that is not a batch. */
  latest(): readonly Table[]
}

/** What is known about parsing before a batch is made. */
export type ParsedPart = Pick<ParsedChunks, 'context' | 'received'>

/** How long a step of a batch took in another thread, and when it ended, in milliseconds since an instant that is the same for all of its steps. */
export type Observation = readonly [step: string, seconds: number, endedMs: number]

/** Sends batches down the first half of the path in other threads, which have the same generation. */
export interface Making {
  /** Resolves however often a thread dies of other causes; rejects if the batch cannot be made. `onParsed` is called once. */
  make(
    batch: Omit<PathBatch, 'onParsed'> & {
      readonly onParsed: (parsed: ParsedPart) => void
      /** Called with what the batch took, and the other node that made it, if one did. */
      readonly onObserved?: (observations: readonly Observation[], node: string | undefined) => void
    },
    origin: RowOrigin,
    written?: BatchPlace,
  ): Promise<EncodedBatch<readonly FinishedRows[]>>
}

/** Rules whose answer depends on earlier events: the state that one batch leaves is there for the next. */
export interface Remembering {
  readonly detectors: readonly Detector[]
  /** The position of a rule's findings among those about the same event. */
  readonly rankOf: (ruleId: string) => number
}

/** What the generation says about a source. Throws if it was created without that source, which is a bug. */
export function bindingOf({ sources }: Generation, sourceId: string): SourceBinding {
  const binding = sources.get(sourceId)
  if (!binding) throw new Error(`the generation knows no source '${sourceId}'`)
  return binding
}
