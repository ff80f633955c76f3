import { isAscii, isUtf8 } from 'node:buffer'
import type { Chunk, Hints } from '../../model/chunk.ts'
import type { Event } from '../../model/event.ts'
import type { JsonObject } from '../../model/json.ts'
import type { DeadLetter, LetterContext } from '../../model/outcome.ts'
import type { CompiledSchema, RecordMeta } from '../../model/schema.ts'
import { messageOf } from '../../util/errors.ts'
import { addMissing, setOwn, stringifyJson } from '../../util/json.ts'
import { type Classified, Classifier, type TextReading } from './classify.ts'
import { deadLetter, faultLetter, invalidUtf8, type Refusal, rowId } from './dead-letter.ts'
import { keptHints, lengthOf, tooLong, withFields } from './fields.ts'
import type { HeaderColumn, LineReader, Reading } from './format.ts'
import { formats } from './index.ts'
import { Narrowing } from './narrow.ts'
import { HEADER } from './native/native.ts'
import type { ParseResult, Parser, ParserOptions, ParseSource } from './parser.ts'
import { isMessage, stray } from './stray.ts'
import { textCandidates } from './text/candidates.ts'
import { TextQueue, withoutQueue } from './text/queue.ts'

/** Maximum number of unknown fields counted by name in a chunk; the rest are counted together under `…`. */
const MAX_UNKNOWN_NAMES = 1000

/** The first line of a context. */
const NEAR = /^@log_type ([\w.]+)\n/

/** A parser for one pipeline thread. What it remembers only saves time: the same chunk always gives the same events. */
export function createParser(options: ParserOptions): Parser {
  const classifiers = new WeakMap<ParseSource, Classifier>()
  const narrowing = new Narrowing()
  return {
    parse(chunk, whole, receivedMs) {
      const source = narrowing.of(whole, chunk.logTypes)
      const classifier = classifiers.get(source) ?? new Classifier(source)
      classifiers.set(source, classifier)
      return new ChunkParser(chunk, source, receivedMs, options, classifier).parse()
    },
  }
}

/** Bytes of a chunk that become one text, and the rest of the line in which they end. */
const PIECE = 32 * 1024

const NO_HINTS: Hints = {}
/** `{`, with which no header begins. */
const OBJECT = 0x7b
/** What decoders skip between records, and nothing else: otherwise a record would disappear without being counted. */
const BLANK = /^[ \t\r]*$/
const BEFORE_JSON = /^\s+(?=[{[])/

/** One chunk while it is being parsed. */
class ChunkParser {
  readonly #chunk: Chunk
  readonly #source: ParseSource
  readonly #options: ParserOptions
  readonly #classifier: Classifier
  readonly #receivedMs: number
  readonly #ofRecord: { -readonly [K in keyof RecordMeta]: RecordMeta[K] }
  readonly #bytes: Buffer
  readonly #isAscii: boolean
  readonly #isUtf8: boolean
  readonly #groups = new Map<CompiledSchema, Event[]>()
  readonly #deadLetters: DeadLetter[] = []
  readonly #unknownFields = new Map<string, number>()
  readonly #filtered = new Map<string, number>()
  readonly #guessed = new Map<string, number>()
  /** The log type of the previous record in the same place. */
  #near: CompiledSchema | undefined
  readonly #spans: number[] = []
  readonly #readers: readonly LineReader[]
  readonly #texts: TextQueue
  readonly #scripted: boolean
  /** Log type in a hint → its parser. */
  readonly #hinted = new Map<string, TextQueue>()
  /** The hint for the current record, and its position in the list of hints. */
  #hints: Hints = NO_HINTS
  #nextHint = 0
  /** The length of its fields as JSON. */
  #fieldsLength = 0
  #received = 0
  #lastPath: string | undefined
  #lastColumns: readonly HeaderColumn[] | undefined
  #lastNamed: ReturnType<Classifier['named']> | null = null

  constructor(chunk: Chunk, source: ParseSource, receivedMs: number, options: ParserOptions, classifier: Classifier) {
    this.#chunk = chunk
    this.#source = source
    this.#options = options
    this.#classifier = classifier
    this.#receivedMs = receivedMs
    const parseTime = new Date(receivedMs).toISOString().replace(/\.?0+Z$/, 'Z')
    this.#ofRecord = { rowId: '', parseTime, receivedMs, sourceId: source.id, sourceLabel: source.label, time: undefined }
    this.#bytes = Buffer.from(chunk.bytes.buffer, chunk.bytes.byteOffset, chunk.bytes.byteLength)
    this.#isAscii = isAscii(this.#bytes)
    this.#isUtf8 = this.#isAscii || isUtf8(this.#bytes)
    const near = NEAR.exec(chunk.context)
    this.#near = near ? classifier.byName(near[1]!) : undefined
    const context = near ? chunk.context.slice(near[0].length) : chunk.context
    this.#texts = new TextQueue(classifier.texts, context)
    const { texts } = classifier
    this.#scripted = source.isNamed && texts.length > 0 && texts.every(({ schema }) => schema.parser?.type === 'script')
    const rest = withoutQueue(context)
    this.#readers = formats.map((format) => format.open(rest, options))
  }

  parse(): ParseResult {
    for (const fault of this.#chunk.faults) this.#letter(faultLetter(fault, this.#chunk, this.#source))
    if (this.#chunk.records) this.#parseRecords(this.#chunk.records)
    else if (this.#isAscii) this.#parseAsciiLines()
    else this.#parseLines()
    return {
      received: this.#received,
      groups: [...this.#groups].map(([schema, events]) => ({ schema, events })),
      deadLetters: this.#deadLetters,
      spans: this.#spans,
      context: this.#contextNow(),
      filtered: this.#filtered,
      guessed: this.#guessed,
      unknownFields: this.#unknownFields,
    }
  }

  /** A line with the last log type, which is evidence for the next records, and what the text parsers and the formats remember. */
  #contextNow(): string {
    const context = this.#texts.context() + (this.#readers.map((reader) => reader.context()).find((text) => text !== '') ?? '')
    return this.#near === undefined ? context : `@log_type ${this.#near.name}\n${context}`
  }

  /**
   * Indexes in the text of ASCII bytes are byte offsets, so that lines are slices of it without copying. Pieces of whole lines, since a
   * larger text takes fresh memory each time, which has to be mapped and cleared first.
   */
  #parseAsciiLines(): void {
    const bytes = this.#bytes
    for (let from = 0; from < bytes.length; ) {
      const last = bytes.indexOf(0x0a, from + PIECE)
      const text = bytes.toString('latin1', from, last < 0 ? bytes.length : last + 1)
      for (let start = 0; start < text.length; ) {
        const newline = text.indexOf('\n', start)
        const end = newline < 0 ? text.length : newline
        this.#line(from + start, from + end, text.slice(start, end))
        start = end + 1
      }
      from += text.length
    }
  }

  #parseLines(): void {
    const bytes = this.#bytes
    let start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf && this.#chunk.offset === 0 ? 3 : 0
    while (start < bytes.length) {
      const newline = bytes.indexOf(0x0a, start)
      const end = newline < 0 ? bytes.length : newline
      if (this.#isUtf8 || isUtf8(bytes.subarray(start, end))) this.#line(start, end, bytes.toString('utf8', start, end))
      else this.#refuse(start, end, this.#chunk.offset + start, invalidUtf8)
      start = end + 1
    }
  }

  #line(start: number, end: number, text: string): void {
    const isCrlf = text.charCodeAt(text.length - 1) === 0x0d
    const line = isCrlf ? text.slice(0, -1) : text
    if (line.length === 0 || (line.charCodeAt(0) <= 0x20 && BLANK.test(line))) return
    const offset = this.#chunk.offset + start
    const last = isCrlf ? end - 1 : end
    if (last - start + this.#fieldsLength > this.#options.maxRecordBytes) {
      const limit = this.#options.maxRecordBytes
      this.#refuse(start, last, offset, { kind: 'dead-letter', ...tooLong(last - start, this.#fieldsLength, limit) })
      return
    }
    const filter = this.#source.filters?.ofText(line)
    if (filter !== undefined && line.charCodeAt(0) === OBJECT) {
      this.#leaveOut(filter)
      return
    }
    const readers = this.#readers
    let reading: Reading | undefined
    for (let i = 0; i < readers.length && reading === undefined; i++) reading = readers[i]!.read(line)
    if (reading?.kind !== 'record' || this.#isScripted(reading)) {
      const classified = this.#takeText(line, offset, reading)
      if (classified === HEADER) return
      if (classified && filter === undefined) {
        this.#settle(classified, start, last, offset)
        return
      }
    }
    if (this.#hints.fields !== undefined && isMessage(line, reading))
      reading = { kind: 'record', raw: { message: line }, path: undefined }
    if (filter === undefined) this.#take(reading ?? stray(line), start, last, offset)
    else if (reading?.kind !== 'header') this.#leaveOut(filter)
  }

  /** Headers are read whatever the filters, since the rows after them depend on them. */
  #leaveOut(filter: string): void {
    this.#received++
    this.#filtered.set(filter, (this.#filtered.get(filter) ?? 0) + 1)
  }

  /** Whether the record is offered to scripts, which get JSON as text. */
  #isScripted({ path }: Extract<Reading, { kind: 'record' }>): boolean {
    return path === undefined && this.#scripted
  }

  /** What the parsers of the source's schemas make of a text that is not a record in a detected format; `undefined`: nothing. */
  #takeText(text: string, offset: number, reading: Reading | undefined): Classified | typeof HEADER | undefined {
    const queue = this.#textsNow()
    if (queue.isEmpty) return undefined
    const { isNamed, logType, schemas } = this.#source
    try {
      const meta = this.#meta(offset)
      if (queue === this.#texts && !isNamed && logType === undefined) return this.#guessText(queue, text, meta)
      const taken = queue.take(text, meta, this.#hints)
      if (taken === HEADER || taken.schema) return taken
      // A comment of Zeek's, or something like JSON, if the source could send these.
      const isOther =
        reading?.kind === 'header'
          ? schemas.some(({ native }) => native === 'zeek')
          : reading !== undefined && isNamed && schemas.some(({ parser }) => !parser)
      return isOther ? undefined : taken
    } catch (error) {
      return internal(error)
    }
  }

  #guessText(queue: TextQueue, text: string, meta: RecordMeta): Classified | typeof HEADER | undefined {
    const readings = queue.readings(text)
    const classified = this.#classifier.guessText(
      readings.filter((one): one is TextReading => one.raw !== HEADER),
      meta,
      this.#near,
    )
    const { fields } = this.#hints
    const raw = fields && readings.find(({ schema }) => schema === classified?.schema)?.raw
    if (raw && raw !== HEADER && classified?.schema)
      return { ...classified, outcome: withFields(classified.schema, classified.outcome, raw, meta, fields) }
    return classified ?? (readings.some(({ raw }) => raw === HEADER) ? HEADER : undefined)
  }

  /** The parsers for the current record: those of the source, or of the log type that its body names. */
  #textsNow(): TextQueue {
    const { logType } = this.#hints
    if (logType === undefined || this.#source.logType !== undefined) return this.#texts
    const known = this.#hinted.get(logType)
    if (known) return known
    const queue = new TextQueue(textCandidates({ ...this.#source, logType }), '')
    this.#hinted.set(logType, queue)
    return queue
  }

  /** Records that are not simply lines: values over several lines, elements of arrays. */
  #parseRecords(records: Uint32Array): void {
    for (let i = 0; i < records.length; i += 2) {
      const start = records[i]!
      const end = records[i + 1]!
      this.#takeHints(start)
      const { leaveOut } = this.#hints
      if (leaveOut !== undefined) this.#leaveOut(leaveOut)
      else if (this.#isUtf8 || isUtf8(this.#bytes.subarray(start, end)))
        this.#line(start, end, this.#bytes.toString('utf8', start, end).replace(BEFORE_JSON, ''))
      else this.#refuse(start, end, this.#chunk.offset + start, invalidUtf8)
    }
  }

  #takeHints(start: number): void {
    const { hints = [] } = this.#chunk
    const { fields: before } = this.#hints
    for (; this.#nextHint < hints.length && hints[this.#nextHint]!.from <= start; this.#nextHint++)
      this.#hints = hints[this.#nextHint]!.hints
    const { fields } = this.#hints
    if (fields !== before) this.#fieldsLength = lengthOf(fields)
  }

  #take(reading: Reading, start: number, end: number, offset: number): void {
    if (reading.kind === 'header') return
    if (reading.kind === 'dead-letter') {
      this.#refuse(start, end, offset, reading)
      return
    }
    this.#settle(this.#classify(reading, offset), start, end, offset)
  }

  /** Keeps the event, or the record and the reason why it did not become one. */
  #settle({ schema, outcome, isGuess, unknown }: Classified, start: number, end: number, offset: number): void {
    if (outcome.kind === 'dead-letter') {
      this.#refuse(start, end, offset, outcome)
      return
    }
    if (outcome.kind === 'drop') {
      this.#leaveOut(outcome.filter)
      return
    }
    const filter = this.#source.filters?.ofEvent(outcome.value)
    if (filter !== undefined) {
      this.#leaveOut(filter)
      return
    }
    this.#received++
    this.#spans.push(offset, start, end)
    this.#keep(schema!, outcome.value, unknown)
    if (isGuess) this.#guessed.set(schema.name, (this.#guessed.get(schema.name) ?? 0) + 1)
    if (this.#source.logType === undefined) this.#near = schema
  }

  /** What is known about the record, in the one object that all records of the chunk share: it is only read while one is normalised. */
  #meta(offset: number): RecordMeta {
    const { time, sourceLabel } = this.#hints
    const meta = this.#ofRecord
    meta.rowId = rowId(this.#chunk.place, offset)
    meta.sourceLabel = sourceLabel ?? this.#source.label
    meta.time = time
    return meta
  }

  #classify(reading: Extract<Reading, { kind: 'record' }>, offset: number): Classified {
    const { raw, path } = reading
    const { host, fields } = this.#hints
    const meta = this.#meta(offset)
    if (host !== undefined && raw['host'] === undefined) setOwn(raw, 'host', host)
    try {
      const wrapped = path === undefined ? this.#classifier.wrapped(raw) : undefined
      if (wrapped) {
        const { schema, raw: inner } = wrapped
        return { schema, outcome: withFields(schema, schema.normalise(inner, meta), inner, meta, fields) }
      }
      const found = this.#classifyAsIs(reading, meta)
      if (fields === undefined) return found
      if (!found.schema) {
        addMissing(raw, fields)
        // The record may only be complete with them.
        return this.#classifyAsIs(reading, meta)
      }
      const { schema, isGuess } = found
      const outcome = withFields(schema, found.outcome, raw, meta, fields)
      return outcome.kind === 'dead-letter' ? this.#classifyAsIs(reading, meta) : { schema, outcome, ...(isGuess && { isGuess }) }
    } catch (error) {
      return internal(error)
    }
  }

  /** The record's schema and event, without what its body adds. */
  #classifyAsIs({ raw, path, columns }: Extract<Reading, { kind: 'record' }>, meta: RecordMeta): Classified {
    const named = this.#classifier.hinted(this.#hints.logType) ?? this.#named(path, columns)
    if (named === undefined) return this.#classifier.guess(raw, meta, this.#near)
    if ('kind' in named) return { schema: undefined, outcome: named }
    if (path === undefined) return this.#classifier.declared(named, raw, meta)
    return { schema: named, outcome: named.normalise(raw, meta) }
  }

  /** Consecutive records usually have the same path. */
  #named(path: string | undefined, columns: readonly HeaderColumn[] | undefined): ReturnType<Classifier['named']> {
    if (this.#lastNamed === null || path !== this.#lastPath || columns !== this.#lastColumns) {
      this.#lastPath = path
      this.#lastColumns = columns
      this.#lastNamed = this.#classifier.named(path, columns)
    }
    return this.#lastNamed
  }

  #keep(schema: CompiledSchema, event: Event, unknown = schema.unknownFields(event)): void {
    const events = this.#groups.get(schema)
    if (events) events.push(event)
    else this.#groups.set(schema, [event])
    for (const field of unknown) {
      const counts = this.#unknownFields
      const key = `${schema.name}\t${field}`
      const counted = counts.has(key) || counts.size < MAX_UNKNOWN_NAMES ? key : `${schema.name}\t…`
      counts.set(counted, (counts.get(counted) ?? 0) + 1)
    }
  }

  #refuse(start: number, end: number, offset: number, why: Refusal): void {
    const letter = deadLetter(why, this.#bytes.subarray(start, end), this.#chunk.place, offset, this.#source.id)
    // Without its fields a record cannot be parsed again, so it counts as cut.
    const hints = keptHints(this.#hints, this.#fieldsLength)
    const missing = hints === this.#hints ? 0 : this.#fieldsLength
    this.#letter({ ...letter, length: letter.length + missing, context: this.#letterContext(hints) })
  }

  #letter(letter: DeadLetter): void {
    this.#received++
    this.#deadLetters.push({ ...letter, receivedMs: this.#receivedMs })
  }

  /** What is needed to parse the record again. */
  #letterContext(hints: Hints): string | undefined {
    const context = this.#contextNow()
    const own: LetterContext = {
      ...(context !== '' && { context }),
      ...(this.#chunk.logTypes && { logTypes: this.#chunk.logTypes }),
      ...(hints !== NO_HINTS && { hints }),
    }
    return Object.keys(own).length > 0 ? stringifyJson(own as JsonObject) : undefined
  }
}

/** A bug must not stop the records after this one. */
function internal(error: unknown): Classified {
  const message = `the parser failed on this record (${messageOf(error)}): please report it with the record`
  return { schema: undefined, outcome: { kind: 'dead-letter', reason: 'internal', message } }
}
