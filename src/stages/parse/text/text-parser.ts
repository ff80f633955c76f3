import type { z } from 'zod'
import type { JsonObject } from '../../../model/json.ts'
import type { DeadLetterReason } from '../../../model/outcome.ts'
import type { HEADER } from '../native/native.ts'

/** Why a text is not a record in this format. */
export class Miss {
  readonly reason: DeadLetterReason
  /** What does not fit, as the continuation of a sentence: `it has 3 columns, and the schema 5`. */
  readonly why: string

  constructor(reason: DeadLetterReason, why: string) {
    this.reason = reason
    this.why = why
  }
}

/** Reads the texts of one chunk, in order. */
export interface TextReader {
  /** The record's values, or why the text is not a record. Never throws, and takes time linear in the length of the text. */
  read(text: string): JsonObject | typeof HEADER | Miss
  /** What a reader of the next chunk needs to know, such as the columns of a header; '' if nothing. */
  context(): string
}

/** The `parser` of one schema, compiled. */
export interface TextParser {
  /** A reader for one chunk; `context` comes from the reader of the previous chunk of the same place, or is ''. */
  open(context: string): TextReader
}

/** A kind of parser that a schema can name under `parser`. */
export interface TextParserKind<Settings extends z.ZodType = z.ZodType> {
  readonly type: string
  readonly summary: string
  readonly settings: Settings
  /** Settings, texts, and the values of those that are records, in order. Used by the docs and the behaviour suite. */
  readonly example: {
    readonly settings: z.input<Settings>
    readonly texts: readonly string[]
    readonly records: readonly JsonObject[]
  }
  /** Throws `ConfigError` with the path of what cannot be compiled, below the kind's own key. */
  create(settings: z.output<Settings>): TextParser
}

/** Ties the type of the settings to their schema. */
export function defineTextParser<const Settings extends z.ZodType>(kind: TextParserKind<Settings>): TextParserKind<Settings> {
  return kind
}

/** A parser whose records do not depend on each other. */
export function stateless(read: TextReader['read']): TextParser {
  const reader: TextReader = { read, context: () => '' }
  return { open: () => reader }
}
