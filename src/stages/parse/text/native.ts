import { z } from 'zod'
import { nativeParsers } from '../native/index.ts'
import { defineTextParser, Miss, stateless } from './text-parser.ts'

/** Zeek's own format is detected from the bytes; its schemas name it for what it says about their fields. */
const ZEEK = 'zeek'

const names = [ZEEK, ...nativeParsers.map(({ type }) => type)] as const

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
    settings: { name: nativeParsers[0]?.type ?? ZEEK },
    texts: nativeParsers[0]?.example.texts ?? [],
    records: nativeParsers[0]?.example.records ?? [],
  },
  create({ name }) {
    const parser = nativeParsers.find(({ type }) => type === name)
    if (!parser) return stateless(() => new Miss('no_match', `the format '${name}' is detected, not parsed as text`))
    return stateless((text) => parser.parse(text) ?? new Miss('no_match', `it is not in the format '${name}'`))
  },
})
