import { isDeepStrictEqual } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import type { Event } from '../model/event.ts'
import { isObject } from '../model/json.ts'
import type { CompiledSchema } from '../model/schema.ts'
import { rfc3339Time } from '../stages/normalise/time.ts'
import { ConfigError } from '../util/errors.ts'
import { parseJson, stringifyJson } from '../util/json.ts'
import { parseWith } from './infer/parse-with.ts'

const expected = z.union([z.string(), z.record(z.string(), z.unknown())])

/** One test of a schema; the keys are those of Panther's `pantherlog test`. */
const testDocument = z
  .strictObject({
    name: z.string().min(1),
    logType: z.string().optional().describe('Default: the log type of the schema.'),
    input: z.string().describe('What a source sends.'),
    result: expected.optional().describe('The one event, as a block or as JSON text.'),
    results: z.array(expected).optional().describe('The events, in order; an empty list if the input is to be refused.'),
  })
  .refine(({ result, results }) => (result === undefined) !== (results === undefined), {
    error: 'a test has either `result` or `results`',
  })

export type SchemaTest = z.output<typeof testDocument>

/** The tests of a file: YAML documents, or lists of them. Throws `ConfigError` with the file and the first mistake. */
export function readSchemaTests(text: string, file: string): SchemaTest[] {
  const documents = parseAllDocuments(text)
  const tests: SchemaTest[] = []
  for (const document of 'empty' in documents ? [] : documents) {
    const [error] = document.errors
    if (error) throw new ConfigError(error.message, { file })
    const content = document.toJS({ maxAliasCount: 100 }) as unknown
    for (const one of Array.isArray(content) ? content : [content]) {
      if (one === null) continue
      const checked = testDocument.safeParse(one)
      if (!checked.success) {
        const issue = checked.error.issues[0]!
        throw new ConfigError(issue.message, { file, path: [`test ${tests.length + 1}`, ...issue.path].join('.') })
      }
      tests.push(checked.data)
    }
  }
  if (tests.length === 0) throw new ConfigError('the file has no tests', { file })
  return tests
}

/** Runs a test; returns what is wrong, nothing if it passes. */
export function runSchemaTest(schema: CompiledSchema, { logType, input, result, results }: SchemaTest, file: string): string[] {
  if (logType !== undefined && logType.toLowerCase() !== schema.name.toLowerCase())
    return [`it is about ${logType}, but the schema is ${schema.name}`]
  const wanted = (results ?? [result!]).map((one) => (typeof one === 'string' ? expectedIn(one, file) : one))
  const chunk = { bytes: Buffer.from(input), place: '0'.repeat(16), offset: 0, context: '', final: true, faults: [] }
  const { events, deadLetters } = parseWith(schema, { chunks: [chunk], isCut: false })
  if (events.length !== wanted.length)
    return [
      `${wanted.length} events are expected, but there are ${events.length}`,
      ...deadLetters.map(({ reason, message }) => `${reason}: ${message}`),
    ]
  return events.flatMap((event, i) => differences(event, wanted[i]!, events.length > 1 ? `event ${i + 1}: ` : ''))
}

function expectedIn(text: string, file: string): Readonly<Record<string, unknown>> {
  const parsed = parseJson(text, { maxDepth: 100 })
  if (parsed.kind === 'failure') throw new ConfigError(`a result is ${parsed.message}`, { file })
  if (!isObject(parsed.value)) throw new ConfigError('a result is not an object', { file })
  return parsed.value
}

/** These differ with each run. */
const OF_THE_RUN = new Set(['p_row_id', 'p_parse_time', 'p_source_id', 'p_source_label'])

/** Fields are compared in both directions; of the standard ones, only those that the test names. */
function differences(event: Event, wanted: Readonly<Record<string, unknown>>, prefix: string): string[] {
  const plain = JSON.parse(stringifyJson(event)) as Record<string, unknown>
  const lines: string[] = []
  for (const [key, value] of Object.entries(wanted)) {
    if (OF_THE_RUN.has(key) || value === null) continue
    if (!isAlike(plain[key], value, key)) lines.push(`${prefix}${key} is ${shown(plain[key])}, expected ${shown(value)}`)
  }
  for (const [key, value] of Object.entries(plain))
    if (!key.startsWith('p_') && value !== null && !Object.hasOwn(wanted, key))
      lines.push(`${prefix}${key} is ${shown(value)}, expected nothing`)
  return lines
}

/** Times are compared as times, collected indicators in any order, and null is no value. */
function isAlike(is: unknown, wanted: unknown, key = ''): boolean {
  if (typeof is === 'string' && typeof wanted === 'string') return is === wanted || isSameTime(is, wanted)
  if (Array.isArray(is) && Array.isArray(wanted)) {
    if (key.startsWith('p_any_')) return isDeepStrictEqual([...is].sort(), [...wanted].sort())
    return is.length === wanted.length && is.every((one, i) => isAlike(one, wanted[i]))
  }
  if (isObject(is) && isObject(wanted)) {
    const keys = new Set([...Object.keys(is), ...Object.keys(wanted)])
    return [...keys].every((one) => isAlike(is[one] ?? undefined, wanted[one] ?? undefined))
  }
  return isDeepStrictEqual(is, wanted)
}

/** `2024-04-19 10:00:00.000`, as Panther writes times, is in UTC. */
function isSameTime(is: string, wanted: string): boolean {
  const time = rfc3339Time(is)
  return time !== undefined && time === (rfc3339Time(wanted) ?? rfc3339Time(`${wanted}Z`))
}

function shown(value: unknown): string {
  const text = value === undefined ? 'absent' : JSON.stringify(value)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
