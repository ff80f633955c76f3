import { z } from 'zod'
import type { JsonObject } from '../../../model/json.ts'
import { setOwn } from '../../../util/json.ts'
import { HEADER } from '../native/native.ts'
import { Miss, type TextParser } from './text-parser.ts'

/** Keys that every parser with named values has. */
export const textOptions = {
  emptyValues: z.array(z.string()).optional().describe('Texts that stand for a missing value, as in `["-", ""]`.'),
  trimSpace: z.boolean().default(false).describe('Remove white space around values.'),
  expandFields: z
    .record(z.string().min(1), z.string())
    .optional()
    .describe('Fields made of others, as in `{time: "%{date}T%{clock}Z"}`; absent ones count as an empty text.'),
  skipPrefix: z.string().min(1).optional().describe('Lines that begin with this are not records.'),
  skipLines: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe('Number of lines at the beginning of each file or body that are not records.'),
}

/** The options, checked. */
export interface TextOptions {
  readonly emptyValues?: readonly string[] | undefined
  readonly trimSpace: boolean
  readonly expandFields?: Readonly<Record<string, string>> | undefined
  readonly skipPrefix?: string | undefined
  readonly skipLines?: number | undefined
}

/** Adds what all parsers have in common: lines that are no records, empty values, white space, and fields made of others. */
export function withOptions(options: TextOptions, inner: TextParser): TextParser {
  const { skipPrefix, skipLines = 0 } = options
  const finish = finisher(options)
  return {
    open(context) {
      const mark = context.indexOf(' ')
      let line = skipLines > 0 && mark > 0 ? Number(context.slice(0, mark)) : 0
      const reader = inner.open(skipLines > 0 ? context.slice(mark + 1) : context)
      return {
        read(text) {
          if (line < skipLines) {
            line++
            return HEADER
          }
          if (skipPrefix !== undefined && text.startsWith(skipPrefix)) return HEADER
          const reading = reader.read(text)
          return reading === HEADER || reading instanceof Miss ? reading : finish(reading)
        },
        context: () => (skipLines > 0 ? `${line} ${reader.context()}` : reader.context()),
      }
    },
  }
}

/** `undefined` values are absent. */
function finisher({ emptyValues = [], trimSpace, expandFields = {} }: TextOptions): (raw: JsonObject) => JsonObject {
  const empty = new Set(emptyValues)
  const templates = Object.entries(expandFields).map(([name, template]) => ({ name, parts: template.split(/%\{([^{}]*)\}/) }))
  return (raw) => {
    if (trimSpace || empty.size > 0) {
      for (const key in raw) {
        const value = raw[key]
        if (typeof value !== 'string') continue
        const text = trimSpace ? value.trim() : value
        if (empty.has(text)) delete raw[key]
        else if (text !== value) setOwn(raw, key, text)
      }
    }
    for (const { name, parts } of templates) setOwn(raw, name, expanded(parts, raw))
    return raw
  }
}

/** Every second part is a field's name. */
function expanded(parts: readonly string[], raw: JsonObject): string {
  let text = ''
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    text += i % 2 === 0 ? part : String((Object.hasOwn(raw, part) ? raw[part] : undefined) ?? '')
  }
  return text
}
