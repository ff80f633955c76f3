import { z } from 'zod'
import { nativeParsers } from '../native/index.ts'
import { HEADER, type NativeParser } from '../native/native.ts'
import { defineTextParser, Miss, stateless, type TextReader } from './text-parser.ts'

/** Detected from the bytes: Zeek's own format, and the journal's JSON. Schemas name them for what they say about values. */
const DETECTED = ['zeek', 'journal'] as const

/** A header is part of the context of every chunk after it; a longer one is not remembered. */
const MAX_HEADER = 4096

const names = [...DETECTED, ...nativeParsers.map(({ type }) => type)] as const

/** Formats that are built in. */
export const native = defineTextParser({
  type: 'native',
  summary: 'A format that is built in, by its name.',
  settings: z.strictObject({
    name: z.enum(names, {
      error: (issue) => `unknown native parser ${JSON.stringify(issue.input)}: use one of ${names.join(', ')}`,
    }),
  }),
  example: {
    settings: { name: nativeParsers[0]?.type ?? DETECTED[0] },
    texts: nativeParsers[0]?.example.texts ?? [],
    records: nativeParsers[0]?.example.records ?? [],
  },
  create({ name }) {
    const parser = nativeParsers.find(({ type }) => type === name)
    if (!parser) return stateless(() => new Miss('no_match', `the format '${name}' is detected, not parsed as text`))
    return { open: (context) => new NativeReader(parser, context) }
  },
})

/** Remembers the last header, which may say what the columns of the records after it are. */
class NativeReader implements TextReader {
  readonly #parser: NativeParser
  #header: string

  constructor(parser: NativeParser, context: string) {
    this.#parser = parser
    this.#header = context
  }

  read(text: string): ReturnType<TextReader['read']> {
    const result = this.#parser.parse(text, this.#header)
    if (result === HEADER) this.#header = text.length <= MAX_HEADER ? text : ''
    return result ?? new Miss('no_match', `it is not in the format '${this.#parser.type}'`)
  }

  context(): string {
    return this.#header
  }
}
