import type { Event } from '../../model/event.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Outcome } from '../../model/outcome.ts'
import type { CompiledSchema, RecordMeta } from '../../model/schema.ts'
import { setOwn } from '../../util/json.ts'
import type { ParseSource } from './parser.ts'

/** Key sets remembered per source; a flood of ever new ones starts the memory afresh. */
const MAX_REMEMBERED = 4096

/** A record with more keys is no log's: it is not compared with every schema, which would cost too much. */
const MAX_KEYS = 2000

/** Longer key sets are not remembered. */
const MAX_KEYS_CHARS = 8192

const WORDS: Readonly<Record<string, string>> = { dns: 'DNS', http: 'HTTP', ssh: 'SSH' }

/** `capture_loss` → `Zeek.CaptureLoss`. */
export function zeekLogType(path: string): string {
  const camel = path.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
  return `Zeek.${Object.hasOwn(WORDS, path) ? WORDS[path] : camel}`
}

/** A record's outcome, and the schema that made it an event. */
export type Classified =
  | { readonly schema: CompiledSchema; readonly outcome: Outcome<Event> }
  | { readonly schema: undefined; readonly outcome: Outcome<never> }

/**
 * Finds the log type of records and normalises them by it. In this order: the type that the user gave, the path that
 * the record names (`#path`, `_path`), and for records without either, what fits.
 *
 * What fits: of the source's schemas those whose required fields are there, fewest unknown fields first, most known ones
 * next; of equal ones the one that failed least in this chunk (a queue by penalty: a failure adds one, success takes
 * all away). The first that takes the record wins. The file's name says nothing.
 */
export class Classifier {
  readonly #byName = new Map<string, CompiledSchema>()
  readonly #candidates = new Map<string, readonly CompiledSchema[]>()
  readonly #schemas: readonly CompiledSchema[]
  readonly #hasZeek: boolean

  constructor(schemas: readonly CompiledSchema[]) {
    this.#schemas = schemas
    for (const schema of schemas) this.#byName.set(schema.name.toLowerCase(), schema)
    this.#hasZeek = schemas.some(({ name }) => name.startsWith('Zeek.'))
  }

  /** Log type by name or by Zeek path; `undefined`: to be found by fitting. */
  named(source: ParseSource, path: string | undefined): CompiledSchema | Outcome<never> | undefined {
    const { logType } = source
    if (logType !== undefined)
      return (
        this.#byName.get(logType.toLowerCase()) ??
        unknownType(`there is no schema '${logType}' among those of source '${source.id}'`)
      )
    if (path === undefined || !this.#hasZeek) return undefined
    const name = zeekLogType(path)
    const schema = this.#byName.get(name.toLowerCase())
    return (
      schema ??
      unknownType(
        `the record is of the Zeek log '${path}', and source '${source.id}' has no schema ${/^[\w.]+$/.test(name) ? `'${name}'` : 'for it'}`,
      )
    )
  }

  /** The schema that takes the record, by fit; `penalties` lives as long as the chunk, so that a chunk always gives the same events. */
  fitting(raw: JsonObject, meta: RecordMeta, penalties: Map<CompiledSchema, number>): Classified {
    const candidates = this.#fitted(raw)
    if (candidates.length > 1 && penalties.size > 0) return this.#try(byPenalty(candidates, raw, penalties), raw, meta, penalties)
    return this.#try(candidates, raw, meta, penalties)
  }

  #try(
    candidates: readonly CompiledSchema[],
    raw: JsonObject,
    meta: RecordMeta,
    penalties: Map<CompiledSchema, number>,
  ): Classified {
    let first: Classified | undefined
    for (const schema of candidates) {
      const outcome = schema.normalise(raw, meta)
      if (outcome.kind === 'ok') {
        penalties.delete(schema)
        return { schema, outcome }
      }
      penalties.set(schema, (penalties.get(schema) ?? 0) + 1)
      first ??= { schema, outcome }
    }
    if (first) return first
    const keys = Object.keys(raw)
    const some = keys.slice(0, 8).join(', ') || '(none)'
    const what =
      keys.length > MAX_KEYS
        ? `the record has ${keys.length} fields, more than the ${MAX_KEYS} up to which its log type is searched`
        : `no schema of the source has all its required fields in a record with the fields ${some}`
    return { schema: undefined, outcome: unknownType(what) }
  }

  #fitted(raw: JsonObject): readonly CompiledSchema[] {
    if (this.#schemas.length === 1) return this.#schemas
    const names = Object.keys(raw)
    if (names.length > MAX_KEYS) return []
    // A JSON text of the keys: unlike joined keys it cannot be made to look like other keys.
    const keys = JSON.stringify(names)
    const known = this.#candidates.get(keys)
    if (known) return known
    const present = keysOnly(raw)
    const fits = this.#schemas.map((schema) => ({ schema, fit: schema.fit(present) })).filter(({ fit }) => fit > 0)
    fits.sort((a, b) => b.fit - a.fit || (a.schema.name < b.schema.name ? -1 : 1))
    const candidates = fits.map(({ schema }) => schema)
    if (this.#candidates.size >= MAX_REMEMBERED) this.#candidates.clear()
    if (keys.length <= MAX_KEYS_CHARS) this.#candidates.set(keys, candidates)
    return candidates
  }
}

/** Keys decide, values do not: what is remembered for a set of keys must hold for all records with them. */
function keysOnly(raw: JsonObject): JsonObject {
  const present: JsonObject = {}
  for (const key of Object.keys(raw)) {
    const value = raw[key]
    setOwn(present, key, typeof value === 'object' && value !== null && !Array.isArray(value) ? value : true)
  }
  return present
}

function byPenalty(
  candidates: readonly CompiledSchema[],
  raw: JsonObject,
  penalties: ReadonlyMap<CompiledSchema, number>,
): readonly CompiledSchema[] {
  const present = keysOnly(raw)
  const ranked = candidates.map((schema) => ({ schema, fit: schema.fit(present), penalty: penalties.get(schema) ?? 0 }))
  return ranked.sort((a, b) => b.fit - a.fit || a.penalty - b.penalty).map(({ schema }) => schema)
}

function unknownType(what: string): Outcome<never> {
  return {
    kind: 'dead-letter',
    reason: 'unknown_log_type',
    message: `${what}: add a schema for it to the content, or say what the records are with a log type`,
  }
}
