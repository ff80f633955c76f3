import type { Cursor, Extent } from '../../../model/batch.ts'
import type { Chunk, Fault } from '../../../model/chunk.ts'
import { MAX_DEAD_LETTER_BYTES } from '../../../model/outcome.ts'
import { hash16, sha256 } from '../../../util/hash.ts'
import type { BatchSource, CursorDeps, SourceStatus } from '../source.ts'
import { type Position, Remembered } from './remembered.ts'
import type { Service } from './service.ts'
import type { StreamSpec } from './spec.ts'
import { type Page, PollStream } from './stream.ts'

export interface PollSourceOptions {
  readonly id: string
  readonly streams: readonly StreamSpec[]
  readonly service: Service
  readonly pollMs: number
  readonly startMs: number
  readonly deps: CursorDeps
}

/** The beginning of a text that is too long. */
interface LongText {
  readonly head: string
  readonly bytes: number
  readonly sha256: string
}

interface StoredRecord {
  readonly id: string
  readonly texts: readonly (string | LongText)[]
}

/** The records themselves are part of it, so that the batch does not depend on what the service answers later. */
interface PollExtent extends Extent {
  readonly kind: 'poll'
  readonly stream: string
  readonly records: readonly StoredRecord[]
  readonly marks: readonly string[]
  readonly position?: Position
  readonly lost?: string
}

const BATCH_RECORDS = 500
const BATCH_BYTES = 1024 * 1024
/** While there is nothing new, the position is stored this often. */
const IDLE_SAVE_MS = 600_000

/**
 * Reads the lists of a service's API. A batch contains its records, since the service may answer differently the next time. The position and the
 * ids of the records commit with their effects: what is requested twice is recognised.
 */
export class PollSource implements BatchSource {
  readonly id: string
  readonly isIndependent = true
  readonly #options: PollSourceOptions
  readonly #streams: readonly PollStream[]
  /** Index of the first record of a stream's page that was not read yet. */
  readonly #at = new Map<PollStream, number>()
  readonly #savedMs = new Map<PollStream, number>()
  readonly #beganMs: number
  #turn = 0

  constructor(options: PollSourceOptions) {
    this.id = options.id
    this.#options = options
    const { service, pollMs, startMs, deps } = options
    const { cursors, wake, now } = deps
    this.#beganMs = now()
    this.#streams = options.streams.map(
      (spec) => new PollStream({ spec, service, remembered: new Remembered(spec.name, cursors), pollMs, startMs, wake, now }),
    )
  }

  async next(): Promise<Extent | undefined> {
    for (let i = 0; i < this.#streams.length; i++) {
      const stream = this.#streams[(this.#turn + i) % this.#streams.length]!
      const page = stream.page()
      const extent = page && this.#cut(stream, page)
      if (!extent) continue
      this.#turn += i + 1
      return extent
    }
    return undefined
  }

  async read(recorded: Extent): Promise<readonly Chunk[]> {
    const { stream, records, lost } = recorded as PollExtent
    const logTypes = this.#options.streams.find(({ name }) => name === stream)?.log_types ?? []
    const own = logTypes.length > 0 ? { logTypes } : {}
    const chunks = records.map((record) => ({ ...this.#chunk(stream, record), ...own }))
    if (lost !== undefined) chunks.push({ ...this.#chunk(stream, { id: '', texts: [] }), ...own, faults: [lostFault(lost)] })
    return chunks.length > 0 ? chunks : [this.#chunk(stream, { id: '', texts: [] })]
  }

  receivedMs(): undefined {
    return undefined
  }

  parsed(recorded: Extent): Cursor {
    const { stream: name, records, marks, position } = recorded as PollExtent
    const stream = this.#streams.find(({ spec }) => spec.name === name)
    // A list that is not configured any more has nothing to continue.
    const remembered = stream?.remembered ?? new Remembered(name, this.#options.deps.cursors)
    if (stream && position) this.#savedMs.set(stream, this.#options.deps.now())
    return remembered.add([...marks, ...records.map(({ id }) => id)], position)
  }

  committed(): void {}

  status(): SourceStatus {
    const problems = this.#streams.flatMap(({ problem }) => problem ?? [])
    const failures = this.#streams.flatMap(({ failure }) => failure ?? [])
    const backlogBytes = this.#streams.reduce((sum, stream) => sum + waitingBytes(stream.waiting, this.#at.get(stream) ?? 0), 0)
    return { backlogBytes, notices: [...this.#streams.flatMap(({ notices }) => notices), ...failures], problems }
  }

  async close(): Promise<void> {
    await Promise.all(this.#streams.map((stream) => stream.close()))
  }

  /** The next records of a page that are new. `undefined` if there are none, and nothing to store. */
  #cut(stream: PollStream, page: Page): PollExtent | undefined {
    const records: StoredRecord[] = []
    const ids = new Set<string>()
    let at = this.#at.get(stream) ?? 0
    for (let bytes = 0; at < page.records.length && records.length < BATCH_RECORDS && bytes < BATCH_BYTES; at++) {
      const { id, texts } = page.records[at]!
      if (ids.has(id) || stream.remembered.has(id)) continue
      ids.add(id)
      const record = { id, texts: texts.map((text) => this.#shortened(text)) }
      records.push(record)
      for (const text of record.texts) bytes += typeof text === 'string' ? text.length : text.head.length
    }
    const isWhole = at >= page.records.length
    this.#at.set(stream, isWhole ? 0 : at)
    if (isWhole) stream.taken()
    const { marks, position, lost } = page
    const isDue = position !== undefined && position.toMs === undefined && this.#isSaveDue(stream)
    const isNews = records.length > 0 || (isWhole && (marks.length > 0 || lost !== undefined || isDue))
    if (!isNews) return undefined
    const end = isWhole ? { marks, ...(position && { position }), ...(lost !== undefined && { lost }) } : { marks: [] }
    return { kind: 'poll', stream: stream.spec.name, records, ...end }
  }

  #isSaveDue(stream: PollStream): boolean {
    return this.#options.deps.now() - (this.#savedMs.get(stream) ?? this.#beganMs) >= IDLE_SAVE_MS
  }

  #shortened(text: string): string | LongText {
    const most = this.#options.deps.maxRecordBytes
    if (text.length <= most / 3) return text
    const bytes = Buffer.from(text)
    if (bytes.length <= most) return text
    return { head: text.slice(0, MAX_DEAD_LETTER_BYTES / 4), bytes: bytes.length, sha256: sha256(bytes) }
  }

  /** Row ids depend on nothing but the record's own id, its list and the number of the event in it. */
  #chunk(stream: string, { id, texts }: StoredRecord): Chunk {
    const parts: Buffer[] = []
    const spans: number[] = []
    const faults: Fault[] = []
    let at = 0
    for (const text of texts) {
      if (typeof text !== 'string') {
        faults.push(this.#tooLong(text, at))
        continue
      }
      const bytes = Buffer.from(`${text}\n`)
      spans.push(at, at + bytes.length - 1)
      parts.push(bytes)
      at += bytes.length
    }
    const bytes = new Uint8Array(Buffer.concat(parts))
    const place = hash16(this.id, stream, id)
    return { bytes, records: Uint32Array.from(spans), place, offset: 0, context: '', final: true, faults }
  }

  #tooLong({ head, bytes: length, sha256: hash }: LongText, offset: number): Fault {
    const message = `the record is ${length} bytes long; the limit is ${this.#options.deps.maxRecordBytes} (max_record_bytes)`
    return { reason: 'too_long', message, offset, length, sha256: hash, raw: new Uint8Array(Buffer.from(head)) }
  }
}

function waitingBytes(page: Page | undefined, from: number): number {
  let bytes = 0
  for (const { texts } of page?.records.slice(from) ?? []) for (const text of texts) bytes += text.length
  return bytes
}

function lostFault(message: string): Fault {
  const raw = new Uint8Array()
  return { reason: 'truncated', message, offset: 0, length: 0, sha256: sha256(raw), raw }
}
