import { isAscii, isUtf8 } from 'node:buffer'
import type { Chunk, Hints } from '../../model/chunk.ts'
import type { Event } from '../../model/event.ts'
import type { DeadLetter, LetterContext, Outcome } from '../../model/outcome.ts'
import type { CompiledSchema } from '../../model/schema.ts'
import { messageOf } from '../../util/errors.ts'
import { setOwn } from '../../util/json.ts'
import { type Classified, Classifier } from './classify.ts'
import { deadLetter, faultLetter, rowId } from './dead-letter.ts'
import type { HeaderColumn, LineReader, Reading } from './format.ts'
import { formats } from './index.ts'
import type { ParseResult, Parser, ParserOptions, ParseSource } from './parser.ts'
import { stray } from './stray.ts'

/** Maximum number of unknown fields counted by name in a chunk; the rest are counted together under `…`. */
const MAX_UNKNOWN_NAMES = 1000

/** The first line of a context. */
const NEAR = /^@log_type ([\w.]+)\n/

/** A parser for one pipeline thread. What it remembers only saves time: the same chunk always gives the same events. */
export function createParser(options: ParserOptions): Parser {
  const classifiers = new WeakMap<ParseSource, Classifier>()
  return {
    parse(chunk, source, receivedMs) {
      const classifier = classifiers.get(source) ?? new Classifier(source)
      classifiers.set(source, classifier)
      return new ChunkParser(chunk, source, receivedMs, options, classifier).parse()
    },
  }
}

const NO_HINTS: Hints = {}
const BEFORE_JSON = /^\s+(?=[{[])/

/** One chunk while it is being parsed. */
class ChunkParser {
  readonly #chunk: Chunk
  readonly #source: ParseSource
  readonly #options: ParserOptions
  readonly #classifier: Classifier
  readonly #receivedMs: number
  readonly #parseTime: string
  readonly #bytes: Buffer
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
  /** The hint for the current record, and its position in the list of hints. */
  #hints: Hints = NO_HINTS
  #nextHint = 0
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
    this.#parseTime = new Date(receivedMs).toISOString().replace(/\.?0+Z$/, 'Z')
    this.#bytes = Buffer.from(chunk.bytes.buffer, chunk.bytes.byteOffset, chunk.bytes.byteLength)
    this.#isUtf8 = isUtf8(this.#bytes)
    this.#readers = formats.map((format) => format.open(chunk.context, options))
    const near = NEAR.exec(chunk.context)?.[1]
    this.#near = near === undefined ? undefined : classifier.byName(near)
  }

  parse(): ParseResult {
    for (const fault of this.#chunk.faults) this.#letter(faultLetter(fault, this.#chunk, this.#source))
    if (this.#chunk.records) this.#parseRecords(this.#chunk.records)
    else if (isAscii(this.#bytes)) this.#parseAsciiLines()
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

  /** A line with the last log type, which is evidence for the next records, followed by what the formats remember. */
  #contextNow(): string {
    const context = this.#readers.map((reader) => reader.context()).find((text) => text !== '') ?? ''
    return this.#near === undefined ? context : `@log_type ${this.#near.name}\n${context}`
  }

  /** One string for the whole chunk whose indexes are byte offsets, so that lines are slices of it without copying. */
  #parseAsciiLines(): void {
    const text = this.#bytes.toString('latin1')
    for (let start = 0; start < text.length; ) {
      const newline = text.indexOf('\n', start)
      const end = newline < 0 ? text.length : newline
      this.#line(start, end, text.slice(start, end))
      start = end + 1
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
    if (line.length === 0 || (line.charCodeAt(0) <= 0x20 && line.trim() === '')) return
    const offset = this.#chunk.offset + start
    const last = isCrlf ? end - 1 : end
    if (last - start > this.#options.maxRecordBytes) {
      this.#refuse(start, last, offset, tooLong(last - start, this.#options.maxRecordBytes))
      return
    }
    const readers = this.#readers
    let reading: Reading | undefined
    for (let i = 0; i < readers.length && reading === undefined; i++) reading = readers[i]!.read(line)
    this.#take(reading ?? stray(line), start, last, offset)
  }

  /** Records that are not simply lines: values over several lines, elements of arrays. */
  #parseRecords(records: Uint32Array): void {
    for (let i = 0; i < records.length; i += 2) {
      const start = records[i]!
      const end = records[i + 1]!
      this.#takeHints(start)
      if (this.#isUtf8 || isUtf8(this.#bytes.subarray(start, end)))
        this.#line(start, end, this.#bytes.toString('utf8', start, end).replace(BEFORE_JSON, ''))
      else this.#refuse(start, end, this.#chunk.offset + start, invalidUtf8)
    }
  }

  #takeHints(start: number): void {
    const { hints = [] } = this.#chunk
    for (; this.#nextHint < hints.length && hints[this.#nextHint]!.from <= start; this.#nextHint++)
      this.#hints = hints[this.#nextHint]!.hints
  }

  #take(reading: Reading, start: number, end: number, offset: number): void {
    if (reading.kind === 'header') return
    if (reading.kind === 'dead-letter') {
      this.#refuse(start, end, offset, reading)
      return
    }
    const { schema, outcome, isGuess, unknown } = this.#classify(reading, offset)
    if (outcome.kind === 'dead-letter') {
      this.#refuse(start, end, offset, outcome)
      return
    }
    this.#received++
    if (outcome.kind === 'drop') {
      this.#filtered.set(outcome.filter, (this.#filtered.get(outcome.filter) ?? 0) + 1)
      return
    }
    this.#spans.push(offset, start, end)
    this.#keep(schema!, outcome.value, unknown)
    if (isGuess) this.#guessed.set(schema.name, (this.#guessed.get(schema.name) ?? 0) + 1)
    if (this.#source.logType === undefined) this.#near = schema
  }

  #classify({ raw, path, columns }: Extract<Reading, { kind: 'record' }>, offset: number): Classified {
    const { logType, time, host, sourceLabel } = this.#hints
    const meta = {
      rowId: rowId(this.#chunk.place, offset),
      parseTime: this.#parseTime,
      receivedMs: this.#receivedMs,
      sourceId: this.#source.id,
      sourceLabel: sourceLabel ?? this.#source.label,
      time,
    }
    if (host !== undefined && raw['host'] === undefined) setOwn(raw, 'host', host)
    try {
      const named = this.#classifier.hinted(logType) ?? this.#named(path, columns)
      const wrapped = path === undefined ? this.#classifier.wrapped(raw) : undefined
      if (wrapped) return { schema: wrapped.schema, outcome: wrapped.schema.normalise(wrapped.raw, meta) }
      if (named === undefined) return this.#classifier.guess(raw, meta, this.#near)
      if ('kind' in named) return { schema: undefined, outcome: named }
      if (path === undefined) return this.#classifier.declared(named, raw, meta)
      return { schema: named, outcome: named.normalise(raw, meta) }
    } catch (error) {
      // A bug must not stop the records after this one.
      const message = `the parser failed on this record (${messageOf(error)}): please report it with the record`
      return { schema: undefined, outcome: { kind: 'dead-letter', reason: 'internal', message } }
    }
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
    this.#letter({ ...letter, context: this.#letterContext() })
  }

  #letter(letter: DeadLetter): void {
    this.#received++
    this.#deadLetters.push({ ...letter, receivedMs: this.#receivedMs })
  }

  /** What is needed to parse the record again. */
  #letterContext(): string | undefined {
    const context = this.#contextNow()
    const own: LetterContext = {
      ...(context !== '' && { context }),
      ...(this.#hints !== NO_HINTS && { hints: this.#hints }),
    }
    return Object.keys(own).length > 0 ? JSON.stringify(own) : undefined
  }
}

type Refusal = Extract<Outcome<never>, { kind: 'dead-letter' }>

const invalidUtf8: Refusal = {
  kind: 'dead-letter',
  reason: 'invalid_utf8',
  message: 'the record is not UTF-8: configure the sender to write UTF-8, or convert the file (iconv -t UTF-8)',
}

function tooLong(length: number, limit: number): Refusal {
  return {
    kind: 'dead-letter',
    reason: 'too_long',
    message: `the record has ${length} bytes and the limit is ${limit}: have the sender split it, or raise the limit`,
  }
}
