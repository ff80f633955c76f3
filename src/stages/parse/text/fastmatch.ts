import { z } from 'zod'
import type { JsonObject } from '../../../model/json.ts'
import { setOwn } from '../../../util/json.ts'
import { textOptions, withOptions } from './text-options.ts'
import { defineTextParser, Miss, stateless } from './text-parser.ts'

/** Fields between fixed texts: faster than an expression, and enough for most logs. */
export const fastmatch = defineTextParser({
  type: 'fastmatch',
  summary: 'Patterns of fields and the fixed texts between them, as in `%{client} [%{time}]`.',
  settings: z.strictObject({
    match: z
      .array(z.string())
      .min(1)
      .superRefine((patterns, context) => {
        patterns.forEach((pattern, index) => {
          const result = compilePattern(pattern)
          if (typeof result === 'string') context.addIssue({ code: 'custom', path: [index], message: result })
        })
      })
      .describe(
        'Tried in this order. `%{}` is left out; a field in quotes is unescaped; the last field may have the rest of the line.',
      ),
    ...textOptions,
  }),
  example: {
    settings: { match: ['%{client} - [%{time}] "%{request}" %{status}', '%{client}: %{message}'] },
    texts: ['192.0.2.7 - [10:00:01] "GET /\\"a\\"" 200', 'gate: opened: front door'],
    records: [
      { client: '192.0.2.7', time: '10:00:01', request: 'GET /"a"', status: '200' },
      { client: 'gate', message: 'opened: front door' },
    ],
  },
  create(settings) {
    const patterns = settings.match.map(compilePattern).filter((one) => typeof one !== 'string')
    const many = patterns.length === 1 ? 'its pattern does not fit' : `none of its ${patterns.length} patterns fits`
    const miss = new Miss('no_match', many)
    return withOptions(
      settings,
      stateless((text) => {
        for (const pattern of patterns) {
          const raw = matchPattern(pattern, text)
          if (raw) return raw
        }
        return miss
      }),
    )
  },
})

/** A field and the text that ends it. */
interface Step {
  /** '' if the value is left out. */
  readonly name: string
  /** The quote around the value, if there is one. */
  readonly quote: string | undefined
  /** '' for the rest of the line. */
  readonly until: string
}

interface Pattern {
  readonly start: string
  readonly steps: readonly Step[]
}

/** A pattern, or a sentence on what is wrong with it. */
function compilePattern(source: string): Pattern | string {
  const pattern = source.replace(/\r?\n$/, '')
  if (pattern.includes('\n')) return 'a line break can only be at the end of a pattern, since each line is a record'
  if (pattern.length < 4) return 'a pattern has at least four characters, as in `%{a}`'
  const parts = pattern.split(/%\{([^{}]*)\}/)
  if (parts.length < 3) return 'a pattern has at least one field, as in `%{name}`'
  const steps: Step[] = []
  for (let i = 1; i < parts.length; i += 2) {
    const name = parts[i]!
    const until = parts[i + 1]!
    if (until === '' && i + 2 < parts.length)
      return `nothing separates %{${name}} from %{${parts[i + 2]}}: put the text between them that ends the first`
    if (name !== '' && steps.some((step) => step.name === name)) return `the field '${name}' is there twice`
    const before = parts[i - 1]!.at(-1)
    steps.push({ name, until, quote: (before === '"' || before === "'") && until.startsWith(before) ? before : undefined })
  }
  return { start: parts[0]!, steps }
}

function matchPattern({ start, steps }: Pattern, text: string): JsonObject | undefined {
  if (!text.startsWith(start)) return undefined
  const raw: JsonObject = {}
  let at = start.length
  for (const { name, quote, until } of steps) {
    const end = until === '' ? text.length : quote ? unescapedEnd(text, at, until) : text.indexOf(until, at)
    if (end < 0) return undefined
    if (name !== '') setOwn(raw, name, quote ? unescaped(text.slice(at, end)) : text.slice(at, end))
    at = end + until.length
  }
  return at === text.length ? raw : undefined
}

/** Where `until` begins with a quote that no backslash escapes, or -1. */
function unescapedEnd(text: string, from: number, until: string): number {
  let at = from
  for (;;) {
    const end = text.indexOf(until, at)
    if (end < 0) return -1
    let slashes = end
    while (slashes > at && text.charCodeAt(slashes - 1) === 0x5c) slashes--
    if ((end - slashes) % 2 === 0) return end
    at = end + 1
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

function unescaped(text: string): string {
  return text.includes('\\') ? text.replace(/\\(["'\\nrt])/g, (_, one: string) => ESCAPES[one] ?? one) : text
}
