import type { TransferListItem } from 'node:worker_threads'
import type { FinishedRows } from '../model/batch.ts'
import type { Chunk } from '../model/chunk.ts'
import type { Event } from '../model/event.ts'
import type { Finding } from '../model/match.ts'
import type { DeadLetter } from '../model/outcome.ts'
import type { CompiledSchema } from '../model/schema.ts'
import type { Judged } from '../stages/alert/step.ts'
import { MAX_DEPTH, toNdjson } from '../stages/detect/ndjson.ts'
import type { ParsedEvents } from '../stages/parse/parser.ts'
import { parseJson } from '../util/json.ts'
import { ownBytes } from '../util/own-bytes.ts'
import type { RawRecords } from './raw-records.ts'
import { textWithRows } from './read-rows.ts'
import type { EncodedBatch } from './steps.ts'

type Batch = EncodedBatch<readonly FinishedRows[]>

/** The events' schema, as identified by every thread with the same generation. */
export interface SchemaName {
  readonly logType: string
  /** For a schema derived from a log's header. */
  readonly header: string | undefined
}

/** A batch after the first half of the path in another thread: buffers, findings, and only those events that are still needed. */
export interface MadeBatch
  extends Pick<
    Batch,
    | 'received'
    | 'deadLetters'
    | 'filtered'
    | 'guessed'
    | 'unknownFields'
    | 'activity'
    | 'encoded'
    | 'stored'
    | 'cacheWrites'
    | 'cacheLimits'
  > {
  readonly groups: readonly SentGroup[]
  /** `event`: its index among the events of all groups; -1 for a finding without an event. */
  readonly judged: readonly { readonly finding: Finding; readonly event: number }[]
  readonly raw: readonly SentRaw[]
}

interface SentGroup {
  readonly schema: SchemaName
  /** Exact JSON texts, each followed by a newline. */
  readonly ndjson: Uint8Array
  /** False if they became dead letters. */
  readonly isStored: boolean
  /** Rules that remember have yet to judge them; then these are all events of the batch. */
  readonly isLeft: boolean
}

/** The positions of records in a part of a chunk; both threads have its bytes. */
interface SentRaw {
  readonly place: string
  readonly chunk: number
  readonly from: number
  readonly length: number
  readonly spans: Float64Array
}

export interface Sending {
  readonly chunks: readonly Chunk[]
  /** Log types for which some rule remembers. */
  readonly left: ReadonlySet<string>
  readonly nameOf: (schema: CompiledSchema) => SchemaName
}

/** The batch for another thread, and the buffers to transfer. */
export function sendBatch(batch: Batch, { chunks, left, nameOf }: Sending): { made: MadeBatch; list: TransferListItem[] } {
  const list: TransferListItem[] = []
  const move = <T extends ArrayBufferView>(view: T): T => {
    list.push(view.buffer as ArrayBuffer)
    return view
  }
  const found = new Set(batch.judged.map(({ event }) => event))
  const placeOf = new Map<Event | undefined, number>()
  const groupsOf = (groups: readonly ParsedEvents[], isStored: boolean): SentGroup[] =>
    groups.flatMap(({ schema, events }) => {
      const isLeft = left.has(schema.name)
      const sent = isLeft ? events : found.size > 0 ? events.filter((event) => found.has(event)) : []
      if (sent.length === 0) return []
      for (const event of sent) placeOf.set(event, placeOf.size)
      const ndjson = move(ownBytes(toNdjson(sent)))
      return [{ schema: nameOf(schema), ndjson, isStored, isLeft }]
    })
  const groups = [...groupsOf(batch.groups, true), ...groupsOf(batch.unfit, false)]
  const { received, filtered, guessed, unknownFields, activity, stored, cacheWrites, cacheLimits } = batch
  const made: MadeBatch = {
    ...{ received, filtered, guessed, unknownFields, activity, stored, cacheWrites },
    ...(cacheLimits && { cacheLimits }),
    deadLetters: sendLetters(batch.deadLetters, move),
    encoded: batch.encoded.map((rows) => rows.map((one) => ({ ...one, rows: move(ownBytes(one.rows)) }))),
    groups,
    judged: batch.judged.map(({ finding, event }) => ({ finding, event: placeOf.get(event) ?? -1 })),
    raw: groups.length > 0 ? batch.raw.flatMap((raw) => sendRaw(raw, chunks, move)) : [],
  }
  return { made, list }
}

/** The letters with all their bytes in one buffer: transferring one for each takes minutes when a whole batch is refused. */
function sendLetters(letters: readonly DeadLetter[], move: (bytes: Uint8Array) => Uint8Array): readonly DeadLetter[] {
  if (letters.length === 0) return letters
  const all = move(new Uint8Array(letters.reduce((sum, { raw }) => sum + raw.length, 0)))
  let at = 0
  return letters.map((letter) => {
    const raw = all.subarray(at, at + letter.raw.length)
    raw.set(letter.raw)
    at += raw.length
    return { ...letter, raw }
  })
}

function sendRaw({ place, bytes, spans }: RawRecords, chunks: readonly Chunk[], move: (spans: Float64Array) => Float64Array) {
  const chunk = chunks.findIndex((one) => one.bytes.buffer === bytes.buffer)
  if (chunk < 0) throw new Error(`the records of ${place} do not lie in any chunk of their batch`)
  const from = bytes.byteOffset - chunks[chunk]!.bytes.byteOffset
  return [{ place, chunk, from, length: bytes.length, spans: move(Float64Array.from(spans)) } satisfies SentRaw]
}

/** The batch as if this thread had made it, without the events that are no longer needed. `chunks`: its input. */
export function receiveBatch(
  { groups: sent, judged, raw, ...made }: MadeBatch,
  chunks: readonly Chunk[],
  schemaOf: (name: SchemaName) => CompiledSchema,
): Batch {
  const events: Event[] = []
  const texts: string[] = []
  const parsed = sent.map(({ schema, ndjson, isStored, isLeft }) => {
    const lines = Buffer.from(ndjson.buffer, ndjson.byteOffset, ndjson.length).toString().split('\n').slice(0, -1)
    const group: ParsedEvents = { schema: schemaOf(schema), events: lines.map(eventOf) }
    for (const event of group.events) events.push(event)
    for (const line of lines) texts.push(line)
    return { group, isStored, isLeft }
  })
  const of = (wanted: (one: (typeof parsed)[number]) => boolean) => parsed.filter(wanted).map(({ group }) => group)
  const left = of(({ isLeft }) => isLeft)
  return {
    ...made,
    groups: of(({ isStored }) => isStored),
    unfit: of(({ isStored }) => !isStored),
    judged: judged.map(({ finding, event: at }): Judged => {
      const event = events[at]
      return { finding, event, text: () => (event ? (textWithRows(event, finding) ?? texts[at]!) : '') }
    }),
    raw: raw.map(({ place, chunk, from, length, spans }) => {
      return { place, bytes: chunks[chunk]!.bytes.subarray(from, from + length), spans }
    }),
    ...(left.length > 0 && { left: { groups: left, placeOf: new Map(events.map((event, place) => [event, place])) } }),
  }
}

function eventOf(line: string): Event {
  const read = parseJson(line, { maxDepth: MAX_DEPTH })
  if (read.kind !== 'ok') throw new Error(`an event that another thread has sent cannot be read: ${read.message}`)
  return read.value as Event
}
