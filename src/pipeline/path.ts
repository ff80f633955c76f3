import type { Decision } from '../model/batch.ts'
import type { Chunk } from '../model/chunk.ts'
import type { AlertClock } from '../stages/alert/step.ts'
import type { Table } from '../stages/enrich/table.ts'
import type { ParsedEvents } from '../stages/parse/parser.ts'
import { correlate } from './correlate.ts'
import { encodeBatch } from './encode-batch.ts'
import { enrichBatch } from './enrich.ts'
import type { Retrying } from './faults.ts'
import { bindingOf, type Generation } from './generation.ts'
import { decided, group } from './group.ts'
import { judgeBatch } from './judge.ts'
import { judgeLeft } from './judge-left.ts'
import { type ParsedChunks, parseBatch } from './parse.ts'
import { assess } from './risk/assess.ts'
import type { EncodedBatch, GroupedBatch, JudgedBatch } from './steps.ts'
import type { BatchTables } from './table-writer.ts'

/** A batch on its way in. */
export interface PathBatch {
  readonly sourceId: string
  /** Epoch ms. */
  readonly receivedMs: number
  readonly chunks: readonly Chunk[]
  /** Called before anything waits, so that reading can go on behind it. */
  readonly onParsed: (parsed: ParsedChunks) => void
}

/** What each way of running the path does in its own way: `up` keeps state and fills the lake, `run` writes to standard output. */
export interface PathEnd<Rows, Made> {
  readonly retrying: Retrying
  /** Seconds that a step took, for the metrics. */
  readonly observe: (step: 'parse' | 'enrich' | 'detect' | 'encode', seconds: number) => void
  /** What is kept of events of one schema. Throws when it cannot be made, `UnfitRows` when it is known which of them are at fault. */
  readonly encodeEvents: (group: ParsedEvents) => Rows
  /** The batch among those that write and read the tables that events write. Absent: there are none. */
  readonly written?: BatchTables | undefined
  /** The first half of the path, as `make` does it: here, or in another thread by the same function. */
  readonly made: (make: () => Promise<EncodedBatch<Rows>>) => Promise<EncodedBatch<Rows>>
  /** Those tables, for a batch that was made elsewhere. */
  readonly look?: (() => Promise<readonly Table[]>) | undefined
  /** Does what must be done batch by batch, in their order. */
  readonly inOrder: <T>(work: () => Promise<T>) => Promise<T>
  /** Resolves when every batch before this one is committed: batches are judged side by side, and committed in order. */
  readonly turn: () => Promise<void>
  readonly times: (batch: JudgedBatch) => Times
  readonly encode: (batch: GroupedBatch<Rows>) => Made
  /** Keeps what `finish` makes of the batch, all of it or nothing. Of a batch that cannot be kept, `finish` is called with parts. */
  readonly commit: (batch: EncodedBatch<Rows>, finish: (part: EncodedBatch<Rows>) => Promise<Decision<Made>>) => Promise<void>
}

/** Both halves of the path in this thread, where rules that remember judge with the others. */
export const HERE = {
  made: <T>(make: () => Promise<T>): Promise<T> => make(),
  inOrder: <T>(work: () => Promise<T>): Promise<T> => work(),
}

/** The times that alert windows and correlation rules go by: of receipt, or of events where the past is judged. */
export interface Times extends AlertClock {
  /** What counts as now for correlation rules, epoch ms. The same for the same batch. */
  readonly signalsMs: number
}

/** The path of a batch, in `up`, `run` and tests alike. It is finished with the generation it began with. Start reading here. */
export async function takePath<Rows, Made>(batch: PathBatch, generation: Generation, end: PathEnd<Rows, Made>): Promise<void> {
  const { sourceId, receivedMs, chunks } = batch
  const { parse, enricher: enricherOf } = bindingOf(generation, sourceId)
  // The tables in force now are those of the whole batch.
  let enricher = enricherOf()
  const timed = stopwatch(end.observe)

  const made = await end.made(async () => {
    // Parse and normalise: records become events by the schema of their log type, or dead letters with a reason.
    const parsed = timed('parse', () => parseBatch(chunks, parse, generation.parser, receivedMs))
    batch.onParsed(parsed)
    // Its events write rows, which count from the next batch on.
    if (end.written) enricher = enricherOf(await end.written.enter(parsed.groups))
    // Enrich: events are joined with the rows of the tables that are in force for their source.
    const enriched = await timed('enrich', () => enrichBatch(parsed, sourceId, enricher, receivedMs))
    // Detect: every rule of the log type judges every event. Its answers are matches and rule errors.
    const judged = await timed('detect', () =>
      judgeBatch(enriched, generation.detectors, end.retrying, enricher.rowsAt(receivedMs)),
    )
    // Encode: events become rows. Nothing that is decided later changes these, so they are made before the batch's turn, and once.
    return timed('encode', () => encodeBatch(judged, sourceId, end.encodeEvents))
  })
  // Where that was in another thread, rules that remember events have yet to judge: they have one owner, which is here.
  if (made.left && end.look) enricher = enricherOf(await end.look())
  const encoded = await end.inOrder(() => judgeLeft(made, generation.remembering, end.retrying, enricher.rowsAt(receivedMs)))

  await end.turn()
  await end.commit(encoded, async (part) => {
    // Correlate: matches are signals of correlation rules, which answer with matches of their own.
    const times = end.times(part)
    const correlated = await correlate(part, generation.correlation, times.signalsMs)
    // Risk: matches add to the risk of the entities that they name, and an entity that reaches the threshold is a match.
    const assessed = await assess(correlated, generation.risk, generation.rules, times)
    // Alert: matches of one rule with one dedup string in one window are one alert. Windows are decided in the transaction.
    const grouped = group(assessed, generation.rules, times)
    // Effects: those rows and the findings', windows, deliveries, counts: what the transaction keeps.
    return decided(grouped, end.encode)
  })
}

/** Runs a step and reports its duration, once it settles if it is asynchronous. */
function stopwatch(observe: PathEnd<unknown, unknown>['observe']) {
  return <T>(step: Parameters<typeof observe>[0], run: () => T): T => {
    const start = performance.now()
    const done = () => observe(step, (performance.now() - start) / 1000)
    const value = run()
    if (value instanceof Promise) value.then(done, () => {})
    else done()
    return value
  }
}
