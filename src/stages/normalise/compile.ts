import type { Column } from '../../model/column.ts'
import { type Event, INDICATOR_FIELDS, type IndicatorField } from '../../model/event.ts'
import type { JsonObject } from '../../model/json.ts'
import type { CompiledSchema } from '../../model/schema.ts'
import { STANDARD_COLUMNS } from '../../model/standard-columns.ts'
import { ConfigError } from '../../util/errors.ts'
import { type FieldSpec, readSchemaDocument, type SchemaSpec, type ValueSpec } from './document.ts'
import { compileFit } from './fit.ts'
import { generateNormalise, type Names } from './generate-normalise.ts'
import { generateEncoder } from './generate-row.ts'
import { journalReader } from './journal-values.ts'
import { valueAt, without } from './record-path.ts'
import { compileTransform, type ReadSecret } from './transformations.ts'
import { unfoldZeek, ZEEK_COMMON_FIELDS, zeekName, zeekPrefixes, zeekSpellings } from './zeek-names.ts'

const LAST_COLUMNS: readonly Column[] = [
  { name: 'extra', kind: 'json' },
  { name: 'p_enrichment', kind: 'json' },
]

/**
 * Compiles a schema file's parsed YAML. `secret` resolves the salts that it refers to; without it,
 * fields with such a mask are redacted.
 *
 * Throws `ConfigError` with the file and the path of the first mistake.
 */
export function compileSchema(
  document: unknown,
  where: { readonly file: string; readonly secret?: ReadSecret | undefined },
): CompiledSchema {
  const spec = withCommonFields(readSchemaDocument(document, where))
  if (spec.expiration !== undefined)
    throw new ConfigError(`'${spec.expiration}' is marked isExpiration, but only rows of a table expire, not events: remove it`, {
      file: where.file,
    })
  const columns: Column[] = [...STANDARD_COLUMNS, ...spec.fields.map(columnOf), ...LAST_COLUMNS]
  const names = namesOf(spec)
  // Most installations use few of the shipped log types, so the code of each is generated when it is first used.
  const generate = () => Object.assign(schema, generated(spec, { columns, names, secret: where.secret }))
  const schema: Mutable<CompiledSchema> = {
    name: spec.name,
    version: spec.version,
    table: spec.name.replaceAll('.', '_').toLowerCase(),
    columns,
    normalise: (raw, meta) => generate().normalise(raw, meta),
    unknownFields: (event) => generate().unknownFields(event),
    encode: (events, out, origin) => generate().encode(events, out, origin),
    native: spec.native,
    parser: spec.parser,
    mayGuess: spec.mayGuess,
    isDescribed: true,
    ...compileFit(spec, names),
  }
  // A secret that is not there is a fault of the configuration, not of the first record.
  if (spec.fields.some(hasSecret)) generate()
  return schema
}

function hasSecret({ mask, fields, element }: FieldSpec): boolean {
  const isSecret = mask?.type === 'obfuscate' && typeof mask.salt !== 'string'
  return isSecret || [...fields, ...elementFields(element)].some(hasSecret)
}

/** The fields of an array's elements, however deep the arrays are. */
function elementFields(element: ValueSpec | undefined): readonly FieldSpec[] {
  return element ? [...element.fields, ...elementFields(element.element)] : []
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

interface Parts {
  readonly columns: readonly Column[]
  readonly names: Names
  readonly secret: ReadSecret
}

function generated(
  spec: SchemaSpec,
  { columns, names, secret }: Parts,
): Pick<CompiledSchema, 'normalise' | 'unknownFields' | 'encode'> {
  const { normalise: ofFields, keys, filled, isComplete } = generateNormalise(spec, names, secret)
  const change = compileTransform(spec.fields, secret)
  const read = spec.isJournal ? journalReader(spec.fields) : undefined
  const transform = read && change ? (raw: JsonObject) => change(read(raw)) : (read ?? change)
  const known = new Set(columns.map(({ name }) => name).filter((name) => !NOT_OF_EVENTS.has(name)))
  const unknownFields = (event: Event) => (isComplete(event) ? NONE : unknownKeys(event, known, keys))
  return {
    normalise: transform ? (raw, meta) => ofFields(transform(raw), meta) : ofFields,
    unknownFields,
    encode: generateEncoder(columns, constantsOf(spec, filled), unknownFields),
  }
}

/** Columns that are not filled yet: see docs/lake.md. */
const UNFILLED = [['p_header', null]] as const

/** Columns that are not filled from event members; a member with such a name is an unknown field. */
const NOT_OF_EVENTS = new Set(['extra', 'p_source_file', 'p_generation', 'p_header'])

/** Columns that are the same in every event of a schema. */
function constantsOf(spec: SchemaSpec, filled: readonly IndicatorField[]): ReadonlyMap<string, unknown> {
  const empty = INDICATOR_FIELDS.filter((field) => !filled.includes(field)).map((field) => [field, null] as const)
  return new Map<string, unknown>([['p_log_type', spec.name], ['p_schema_version', spec.version], ...UNFILLED, ...empty])
}

function withCommonFields(spec: SchemaSpec): SchemaSpec {
  if (spec.native !== 'zeek') return spec
  const own = new Set(spec.fields.map(({ name }) => name))
  return { ...spec, fields: [...spec.fields, ...ZEEK_COMMON_FIELDS.filter(({ name }) => !own.has(name))] }
}

function columnOf({ name, type }: SchemaSpec['fields'][number]): Column {
  return { name, kind: type === 'array' || type === 'object' ? 'json' : type }
}

/** How a record's keys are mapped to fields. */
function namesOf(spec: SchemaSpec): Names {
  const slots = new Map<string, number>()
  const claim = (key: string, slot: number) => {
    if (!slots.has(key)) slots.set(key, slot)
  }
  spec.fields.forEach(({ from }, slot) => {
    if (from !== undefined) claim(from, slot)
  })
  spec.fields.forEach(({ name }, slot) => {
    claim(name, slot)
  })
  if (spec.native === 'zeek') {
    spec.fields.forEach(({ name }, slot) => {
      for (const spelling of zeekSpellings(name)) claim(spelling, slot)
    })
    const prefixes = zeekPrefixes(spec.fields.map(({ name }) => name))
    return { slots, unfold: (raw) => unfoldZeek(raw, prefixes), nameOfUnknown: zeekName, prefixes }
  }
  const paths = spec.fields.flatMap(({ from }) => (from?.includes('.') ? [from.split('.')] : []))
  return {
    slots,
    unfold: (raw) => liftPaths(raw, paths),
    nameOfUnknown: (key) => key,
    prefixes: new Set(paths.map((path) => path[0]!)),
  }
}

/** The record with the values at these paths moved to keys with dots: what `rename: {from: a.b}` looks for. */
function liftPaths(raw: JsonObject, paths: readonly (readonly string[])[]): JsonObject {
  let lifted = raw
  for (const path of paths) {
    const key = path.join('.')
    const value = valueAt(lifted, path)
    if (value === undefined || Object.hasOwn(lifted, key)) continue
    lifted = { ...without(lifted, path), [key]: value }
  }
  return lifted
}

/**
 * Keys that are neither fields nor standard columns. Most events have none: those have the keys that they were made with, as their number
 * tells together with those that unknown ones would move. An event that was read back from text lacks keys without a value.
 */
function unknownKeys(event: Event, known: ReadonlySet<string>, made: readonly string[]): readonly string[] {
  let count = 0
  let isMade = true
  for (const key in event) if (key !== made[count++]) isMade = false
  return isMade && count === made.length ? NONE : Object.keys(event).filter((key) => !known.has(key))
}

const NONE: readonly string[] = []
