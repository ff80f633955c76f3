import type { Event } from '../../model/event.ts'
import { isObject, type JsonObject } from '../../model/json.ts'
import type { Outcome } from '../../model/outcome.ts'
import type { CompiledSchema, RecordMeta } from '../../model/schema.ts'
import { setOwn } from '../../util/json.ts'
import {
  type Assessment,
  against,
  compareFits,
  isEvident,
  isForeign,
  isLikely,
  isMostlyKnown,
  isPossible,
  nearest,
} from './evidence.ts'
import type { HeaderColumn } from './format.ts'
import type { ParseSource } from './parser.ts'
import { type TextCandidate, textCandidates } from './text/candidates.ts'

/** Number of key sets remembered per source; when a flood of new ones exceeds it, all are forgotten. */
const MAX_REMEMBERED = 4096

/** Comparing a record with more keys to every schema would cost too much, and no log has that many. */
const MAX_KEYS = 2000

/** Longer key sets are not remembered. */
const MAX_KEYS_CHARS = 8192

/** Maximum number of closest schemas to list in a message. */
const NEAREST = 3

const WORDS: Readonly<Record<string, string>> = { dns: 'DNS', http: 'HTTP', ssh: 'SSH' }

/** `capture_loss` → `Zeek.CaptureLoss`. */
export function zeekLogType(path: string): string {
  const camel = path.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
  return `Zeek.${Object.hasOwn(WORDS, path) ? WORDS[path] : camel}`
}

/** A record's outcome, and the schema that made it an event. */
export type Classified =
  | {
      readonly schema: CompiledSchema
      readonly outcome: Outcome<Event>
      readonly isGuess?: true
      /** The event's fields that are not in the schema, if they were needed to decide. */
      readonly unknown?: readonly string[]
    }
  | { readonly schema: undefined; readonly outcome: Outcome<never>; readonly isGuess?: undefined; readonly unknown?: undefined }

/** The values that a schema's parser read from a text. */
export interface TextReading {
  readonly schema: CompiledSchema
  readonly raw: JsonObject
}

/** Schemas that could fit records with a particular set of keys. */
interface Candidates {
  /** Best first; equally good ones are in one list. */
  readonly ranks: readonly (readonly Assessment[])[]
  /** Why the others do not fit, for a message. */
  readonly against: string
}

/**
 * Determines the log type of records and normalises them accordingly. In this order: the type given by the user, the path named
 * in the record (`#path`, `_path`), and otherwise a guess, which needs evidence (`evidence.ts`).
 *
 * A guess prefers the schema with the fewest unknown fields, then the one with the most known ones. Ties are decided by the
 * neighbours: the log type of the previous record in the same file or body. Otherwise the schema that accepts the record is
 * chosen, if there is only one. Anything still undecided is a dead letter that names the closest schemas and why each does not
 * fit. Alphabetical order and file names are not evidence.
 */
export class Classifier {
  readonly #byName = new Map<string, CompiledSchema>()
  readonly #candidates = new Map<string, Candidates>()
  readonly #source: ParseSource
  /** Schemas of the source whose parsers read text. */
  readonly texts: readonly TextCandidate[]
  readonly #hasZeek: boolean

  constructor(source: ParseSource) {
    this.#source = source
    this.texts = textCandidates(source)
    const { schemas } = source
    for (const schema of schemas) this.#byName.set(schema.name.toLowerCase(), schema)
    this.#hasZeek = schemas.some(({ name }) => name.startsWith('Zeek.'))
  }

  /** Log type by name or by Zeek path; `undefined` if it has to be guessed. */
  named(path: string | undefined, columns?: readonly HeaderColumn[]): CompiledSchema | Outcome<never> | undefined {
    const { id, logType } = this.#source
    if (logType !== undefined)
      return this.byName(logType) ?? unknownType(`there is no schema '${logType}' among those of source '${id}'`)
    if (path === undefined || !this.#hasZeek) return undefined
    const name = zeekLogType(path)
    const known = this.byName(name)
    if (known) return known
    const described = columns && this.#source.describe?.(name, columns)
    if (typeof described === 'object') return described
    const why = described === undefined ? '' : `, and its header cannot be turned into one: ${described}`
    return unknownType(
      `the record is of the Zeek log '${path}', and source '${id}' has no schema ${/^[\w.]+$/.test(name) ? `'${name}'` : 'for it'}${why}`,
    )
  }

  /** The log type named by the record's body; `undefined` if it names none or the source decides. */
  hinted(logType: string | undefined): CompiledSchema | Outcome<never> | undefined {
    const { id, logType: declared } = this.#source
    if (logType === undefined || declared !== undefined) return undefined
    return (
      this.byName(logType) ??
      unknownType(`its body says the record is of ${shown(logType)}, which source '${id}' has no schema for`)
    )
  }

  byName(logType: string): CompiledSchema | undefined {
    return this.#byName.get(logType.toLowerCase())
  }

  /**
   * `{"http": {…}}`, as some shippers write Zeek's logs: the inner record and its schema. Only if there is a schema with that
   * path and the inner record has a time and mostly its fields; otherwise the outer object is the record.
   */
  wrapped(raw: JsonObject): { readonly schema: CompiledSchema; readonly raw: JsonObject } | undefined {
    let path: string | undefined
    for (const key in raw) {
      if (path !== undefined) return undefined
      path = key
    }
    const inner = path === undefined ? undefined : raw[path]
    if (path === undefined || !isObject(inner) || !Object.hasOwn(inner, 'ts')) return undefined
    const schema = this.byName(zeekLogType(path))
    const { logType } = this.#source
    if (schema?.native !== 'zeek' || (logType !== undefined && this.byName(logType) !== schema)) return undefined
    const isZeek = isMostlyKnown({ schema, fit: schema.fit(keysOnly(inner)) })
    return isZeek ? { schema, raw: inner } : undefined
  }

  /** A record whose source says it has this log type; refused if almost nothing in it matches. */
  declared(schema: CompiledSchema, raw: JsonObject, meta: RecordMeta): Classified {
    const outcome = schema.normalise(raw, meta)
    if (outcome.kind !== 'ok') return { schema, outcome }
    if (!schema.isDescribed) return { schema, outcome }
    const unknown = schema.unknownFields(outcome.value)
    if (unknown.length === 0 || unknown.length <= Object.keys(raw).length / 2) return { schema, outcome, unknown }
    const assessment = { schema, fit: schema.fit(keysOnly(raw)) }
    if (!isForeign(assessment, schema.confirmed(raw))) return { schema, outcome, unknown }
    const message = `its source or body says that the record is of type ${schema.name}, but it is something else (${against(assessment)})`
    return { schema: undefined, outcome: unknownType(message) }
  }

  /** The schema for a record without a declared log type; `near` is the log type of the previous record. */
  guess(raw: JsonObject, meta: RecordMeta, near: CompiledSchema | undefined): Classified {
    const keyCount = Object.keys(raw).length
    if (keyCount > MAX_KEYS)
      return unguessed(`the record has ${keyCount} fields; its log type is only guessed for up to ${MAX_KEYS}`)
    const candidates = this.#candidatesFor(raw)
    let refused: Classified | undefined
    for (const rank of candidates.ranks) {
      const evident = rank.filter((one) => this.#hasEvidence(one, raw, near))
      const same = evident.filter(({ schema }) => schema === near)
      const tries = (same.length > 0 ? same : evident).map(({ schema }) => ({ schema, outcome: schema.normalise(raw, meta) }))
      const taken = tries.filter(({ outcome }) => outcome.kind === 'ok')
      if (taken.length === 1) return { ...taken[0]!, isGuess: true }
      if (taken.length > 1) return this.#tied(taken.map(({ schema }) => schema.name))
      refused ??= tries[0]
    }
    return (
      refused ?? unguessed(`the record does not say what it is, and no schema fits it well enough to guess${candidates.against}`)
    )
  }

  /**
   * The schema for a text that parsers of built-in formats could read, from a source that names no log types. The format is not
   * evidence enough, since key-value pairs are found in prose, too: the values have to fit as a JSON record's would.
   */
  guessText(readings: readonly TextReading[], meta: RecordMeta, near: CompiledSchema | undefined): Classified | undefined {
    const evident = readings.filter(({ schema, raw }) => {
      const one = { schema, fit: schema.fit(keysOnly(raw)) }
      return isPossible(one) && isMostlyKnown(one) && this.#hasEvidence(one, raw, near)
    })
    const same = evident.filter(({ schema }) => schema === near)
    const tries = (same.length > 0 ? same : evident).map(({ schema, raw }) => ({ schema, outcome: schema.normalise(raw, meta) }))
    const taken = tries.filter(({ outcome }) => outcome.kind === 'ok')
    if (taken.length === 1) return { ...taken[0]!, isGuess: true }
    if (taken.length > 1) return this.#tied(taken.map(({ schema }) => schema.name))
    return tries[0]
  }

  /** Only the user can know: nginx and Apache write the same lines, for example. */
  #tied(names: readonly string[]): Classified {
    const add = names.slice(0, NEAREST).map((name) => `\`log_types: [${name}]\``)
    const message = `the record fits ${listed(names)} equally well, and nothing shows which it is. Add ${add.join(' or ')} to source '${this.#source.id}' in the configuration (for \`caracal run\`: \`--log-type ${names[0]}\`)`
    return { schema: undefined, outcome: { kind: 'dead-letter', reason: 'unknown_log_type', message } }
  }

  #hasEvidence(assessment: Assessment, raw: JsonObject, near: CompiledSchema | undefined): boolean {
    const { schema, fit } = assessment
    const isNear = schema === near && isMostlyKnown(assessment)
    const confirmed = isNear || fit.telling >= 3 ? 0 : schema.confirmed(raw)
    return isNear || (this.#source.isNamed ? isLikely(assessment, confirmed) : isEvident(assessment, confirmed))
  }

  #candidatesFor(raw: JsonObject): Candidates {
    const keys = keysOf(raw)
    const known = this.#candidates.get(keys)
    if (known) return known
    const present = keysOnly(raw)
    const { schemas, isNamed } = this.#source
    const all = schemas.map((schema): Assessment => ({ schema, fit: schema.fit(present) }))
    const possible = all.filter((one) => isPossible(one) && (isNamed || (one.schema.mayGuess && isMostlyKnown(one))))
    possible.sort(compareFits)
    const ranks: Assessment[][] = []
    for (const one of possible) {
      const rank = ranks.at(-1)
      if (rank && compareFits(rank[0]!, one) === 0) rank.push(one)
      else ranks.push([one])
    }
    const near = nearest(all, NEAREST).map(against)
    const candidates = { ranks, against: near.length > 0 ? `. Closest: ${near.join('. ')}` : '; none has any of its fields' }
    if (this.#candidates.size >= MAX_REMEMBERED) this.#candidates.clear()
    if (keys.length <= MAX_KEYS_CHARS) this.#candidates.set(keys, candidates)
    return candidates
  }
}

/** The record's keys, including those of nested objects, as JSON, so that no other set of keys can produce the same text. */
function keysOf(raw: JsonObject): string {
  const keys: (string | readonly string[])[] = []
  for (const key of Object.keys(raw)) {
    keys.push(key)
    const value = raw[key]
    if (isObject(value)) keys.push(Object.keys(value))
  }
  return JSON.stringify(keys)
}

/** Depends on keys, not on values: what is remembered for a set of keys must hold for all records with these keys. */
function keysOnly(raw: JsonObject): JsonObject {
  const present: JsonObject = {}
  for (const key of Object.keys(raw)) {
    const value = raw[key]
    if (value !== undefined) setOwn(present, key, isObject(value) ? keysOnlyTop(value) : true)
  }
  return present
}

function keysOnlyTop(object: JsonObject): JsonObject {
  const present: JsonObject = {}
  for (const key of Object.keys(object)) setOwn(present, key, true)
  return present
}

/** The first names of a list, and how many others there are. */
function listed(names: readonly string[]): string {
  const others = names.length - NEAREST
  return others > 0 ? `${names.slice(0, NEAREST).join(', ')} and ${others} others` : names.join(' and ')
}

/** An untrusted name, for a message. */
function shown(name: string): string {
  return JSON.stringify(name.slice(0, 80))
}

function unguessed(what: string): Classified {
  return { schema: undefined, outcome: unknownType(what) }
}

function unknownType(what: string): Outcome<never> {
  return {
    kind: 'dead-letter',
    reason: 'unknown_log_type',
    message: `${what}. Say what the records are with a log type (\`log_types\` of the source, \`--log-type\`), or add a schema for them to the content`,
  }
}
