import type { Chunk } from '../model/chunk.ts'
import type { Event } from '../model/event.ts'
import type { CacheWrite, Finding } from '../model/match.ts'
import type { DeadLetter } from '../model/outcome.ts'
import { MAX_DEAD_LETTER_BYTES } from '../model/outcome.ts'
import type { Judged } from '../stages/alert/step.ts'
import type { Detector } from '../stages/detect/language.ts'
import { detectEvents } from '../stages/detect/step.ts'
import type { Enricher } from '../stages/enrich/table.ts'
import type { ParsedEvents, Parser, ParseSource } from '../stages/parse/parser.ts'
import { messageOf } from '../util/errors.ts'
import { sha256 } from '../util/hash.ts'
import { stringifyJson } from '../util/json.ts'
import { parseApart } from './parse-apart.ts'
import type { RawRecords } from './raw-records.ts'

/** What a batch's bytes became, before alerts are made of it. */
export interface JudgedBatch {
  readonly received: number
  readonly groups: readonly ParsedEvents[]
  readonly deadLetters: readonly DeadLetter[]
  /** Filter → records that it kept out. */
  readonly filtered: ReadonlyMap<string, number>
  /** Log type → events that are of it by a guess. */
  readonly guessed: ReadonlyMap<string, number>
  readonly unknownFields: ReadonlyMap<string, number>
  readonly raw: readonly RawRecords[]
  readonly judged: readonly Judged[]
  /** What rules changed in their cache, the last change of each key. */
  readonly cacheWrites: readonly CacheWrite[]
}

/** What a batch's bytes became after parsing: `rest` goes on with enrichment and detection. */
export interface ParsedBatch {
  readonly received: number
  readonly groups: readonly ParsedEvents[]
  readonly deadLetters: readonly DeadLetter[]
  readonly filtered: ReadonlyMap<string, number>
  readonly guessed: ReadonlyMap<string, number>
  readonly unknownFields: ReadonlyMap<string, number>
  /** What the events were made of. */
  readonly raw: readonly RawRecords[]
  /** For the next batch of the same place. */
  readonly context: string
}

/** Seconds a stage took for a batch, for the metrics. */
export type Observe = (stage: 'parse' | 'enrich' | 'detect', seconds: number) => void

/** Bytes → events. Never throws for what is in the bytes: a record on which the parser fails is dead-lettered as `internal`. */
export function parseBatch(chunks: readonly Chunk[], source: ParseSource, parser: Parser, receivedMs: number): ParsedBatch {
  let received = 0
  let context = ''
  const groups: ParsedEvents[] = []
  const deadLetters: DeadLetter[] = []
  const filtered = new Map<string, number>()
  const guessed = new Map<string, number>()
  const unknownFields = new Map<string, number>()
  const raw: RawRecords[] = []
  const attempt = (chunk: Chunk) => {
    const result = parser.parse(chunk, source, receivedMs)
    raw.push({ place: chunk.place, bytes: chunk.bytes, spans: result.spans })
    return result
  }
  for (const result of chunks.flatMap((chunk) => parseApart(chunk, source.id, attempt))) {
    received += result.received
    context = result.context
    for (const group of result.groups) merge(groups, group)
    for (const letter of result.deadLetters) deadLetters.push(letter)
    addCounts(filtered, result.filtered)
    addCounts(guessed, result.guessed)
    addCounts(unknownFields, result.unknownFields)
  }
  return { received, groups, deadLetters, guessed, filtered, unknownFields, raw, context }
}

function addCounts(into: Map<string, number>, counts: ReadonlyMap<string, number>): void {
  for (const [name, n] of counts) into.set(name, (into.get(name) ?? 0) + n)
}

/** Events of one log type go to detection together, also when they came in several chunks. */
function merge(groups: ParsedEvents[], group: ParsedEvents): void {
  const same = groups.find((g) => g.schema === group.schema)
  if (!same) groups.push(group)
  else for (const event of group.events) same.events.push(event)
}

/** Events → findings: joins the tables, then asks every detector. */
export async function judgeBatch(
  { received, groups, deadLetters, guessed, filtered, unknownFields, raw }: ParsedBatch,
  deps: {
    readonly enricher: Enricher
    readonly detectors: readonly Detector[]
    readonly observe: Observe
  },
): Promise<JudgedBatch> {
  const enrichStart = performance.now()
  for (const { schema, events } of groups) deps.enricher.enrich(schema, events)
  const detectStart = performance.now()
  deps.observe('enrich', (detectStart - enrichStart) / 1000)
  const judged: Judged[] = []
  const cacheWrites = new Map<string, CacheWrite>()
  const onCacheWrites = (writes: readonly CacheWrite[]) => {
    for (const write of writes) cacheWrites.set(write.key, write)
  }
  // Events of different log types are judged at the same time; the order of the findings stays that of the groups.
  const all = await Promise.all(
    groups.map(({ schema, events }) => detectEvents(schema.name, events, deps.detectors, onCacheWrites)),
  )
  for (const [i, { events }] of groups.entries()) {
    for (const finding of all[i]!) judged.push(judgedOf(finding, events))
  }
  deps.observe('detect', (performance.now() - detectStart) / 1000)
  return { received, groups, deadLetters, guessed, filtered, unknownFields, raw, judged, cacheWrites: [...cacheWrites.values()] }
}

/** The dead letter of an event that cannot be finished, by a fault of ours: it would hold up everything behind it for ever. */
export function refusedLetter(event: Event, source: string, error: unknown): DeadLetter {
  let text = ''
  try {
    text = stringifyJson(event)
  } catch {
    // The event itself is what cannot be written: its place is all there is to tell.
  }
  const bytes = Buffer.from(text)
  const { p_row_id: rowId } = event
  return {
    reason: 'internal',
    message: `This event could not be finished: ${messageOf(error)}. This is a fault of Caracal; the event is kept, please report it.`,
    source,
    position: `${rowId.slice(0, 16)}:${Number.parseInt(rowId.slice(16), 16)}`,
    length: bytes.length,
    sha256: sha256(bytes),
    raw: bytes.subarray(0, MAX_DEAD_LETTER_BYTES),
    rowId,
  }
}

/** A finding with the event it is about. */
export function judgedOf(finding: Finding, events: readonly Event[]): Judged {
  const event = finding.event >= 0 ? events[finding.event] : undefined
  return { finding, event, text: () => (event ? stringifyJson(event) : '') }
}

/** Rows of a scheduled query's answer → findings. */
export async function judgeEvents(
  logType: string,
  events: readonly Event[],
  detectors: readonly Detector[],
): Promise<{ readonly judged: readonly Judged[]; readonly cacheWrites: readonly CacheWrite[] }> {
  const cacheWrites = new Map<string, CacheWrite>()
  const findings = await detectEvents(logType, events, detectors, (writes) => {
    for (const write of writes) cacheWrites.set(write.key, write)
  })
  return { judged: findings.map((finding) => judgedOf(finding, events)), cacheWrites: [...cacheWrites.values()] }
}
