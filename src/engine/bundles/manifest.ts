import { z } from 'zod'
import { MAX_EVIDENCE } from '../../model/evidence.ts'
import { SEVERITIES } from '../../model/rule.ts'
import { ConfigError } from '../../util/errors.ts'
import type { Parts } from './bundle.ts'

export const FORMAT = 'caracal alert bundle'
export const VERSION = 1

const text = z.string().max(1024 * 1024)
const id = z.string().max(1000)

/** `manifest.json`: which decision it is, and how the parts belong together. */
const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  /** The version of Caracal that wrote it. */
  caracal: id,
  alert_id: id,
  rule_id: id,
  rule_version: id.nullable(),
  /** The hash of the content that decided. */
  generation: id,
  dedup: text,
  /** The number of the window within its group. */
  window_number: z.int(),
  threshold: z.number(),
  retroactive: z.boolean(),
  /** It collects the matches of many dedup strings. */
  is_crowd: z.boolean(),
  /** Matches of the alert when the bundle was made. */
  event_count: z.int(),
  /** Matches in the bundle: the first of the alert. */
  matches: z.int().min(1).max(MAX_EVIDENCE),
  /** The content roots in order; the first is `content/1`. */
  roots: z.array(id).max(100),
  /** What the bundle does not have, in sentences. */
  notes: z.array(text).max(100),
})
export type Manifest = z.output<typeof manifestSchema>

/** `matches/NN/result.json`: what the rule returned. */
const resultSchema = z.strictObject({
  row_id: id,
  log_type: id,
  title: text,
  dedup: text,
  severity: z.enum(SEVERITIES),
  description: text,
  reference: text,
  runbook: text,
  destinations: z.array(text).max(1000).nullable(),
  /** Exact JSON text. */
  alert_context: z.string().nullable(),
  unique: text.nullable().optional(),
  function_errors: z.record(id, text),
})
export type MatchResult = z.output<typeof resultSchema>

/** A match of a bundle. `event`: exact JSON text; absent if it was too long to be kept. */
export interface BundledMatch {
  readonly number: number
  readonly result: MatchResult
  readonly event: string | undefined
  /** Exact JSON text: the rows that the rule read from tables by itself. */
  readonly looked: string
}

/** The name of a part of a match. */
export function partOf(number: number, name: string): string {
  return `matches/${String(number).padStart(2, '0')}/${name}`
}

/** What a bundle says was decided. Throws `ConfigError` if a part is missing or malformed. */
export function readDecision(parts: Parts, file: string): { readonly manifest: Manifest; readonly matches: BundledMatch[] } {
  const manifest = read('manifest.json', manifestSchema)
  const matches = Array.from({ length: manifest.matches }, (_, at): BundledMatch => {
    const number = at + 1
    const optional = (name: string) => parts.get(partOf(number, name))
    const event = optional('event.json')
    return {
      number,
      result: read(partOf(number, 'result.json'), resultSchema),
      event: event && Buffer.from(event).toString(),
      looked: Buffer.from(optional('looked.json') ?? '[]').toString(),
    }
  })
  return { manifest, matches }

  function read<T>(name: string, schema: z.ZodType<T>): T {
    const bytes = parts.get(name)
    if (!bytes) throw new ConfigError(`is not a complete bundle: it has no part '${name}'`, { file })
    let value: unknown
    try {
      value = JSON.parse(Buffer.from(bytes).toString())
    } catch {
      throw new ConfigError(`its part '${name}' is not JSON`, { file })
    }
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    const [issue] = parsed.error.issues
    const place = issue?.path.join('.') ?? ''
    const advice = place === 'version' || place === 'format' ? `; this Caracal reads version ${VERSION}` : ''
    throw new ConfigError(`its part '${name}' cannot be read: ${place && `${place}: `}${issue?.message}${advice}`, { file })
  }
}
