import { z } from 'zod'
import type { JsonObject, JsonValue } from '../../model/json.ts'
import { ConfigError } from '../../util/errors.ts'
import { parseJson } from '../../util/json.ts'
import { AUTOMATIC, type IndicatorValue, indicatorsOf } from './indicators.ts'
import type { MatchKind } from './table.ts'

/** The parts of a schema that a table needs. */
export interface TableSchema {
  readonly name: string
  /** Names of the top-level fields; `undefined` when rows may have any. */
  readonly fields: ReadonlySet<string> | undefined
  /** The field with the time after which a row is not found any more. */
  readonly expiration?: string | undefined
  /** How keys of this field are compared; `undefined` if the keys decide. */
  matchOf(field: string): MatchKind | undefined
  /** The `p_any_*` field that a table with this key is joined on automatically, or `undefined`. */
  automaticOf(field: string): string | undefined
  /** Converts text values (from CSV) to the types of the schema, or returns a sentence on why the row cannot be used. */
  shape(row: JsonObject, isText: boolean): JsonObject | string
  /** Indicators of a row, by `p_any_*` name. */
  indicators(row: JsonObject): Readonly<Record<string, readonly string[]>>
}

// The schema language itself is checked where schemas are compiled; only the parts that tables use are read here.
const valueSchema = z.looseObject({
  type: z.string(),
  indicators: z.array(z.string()).optional(),
  validate: z.looseObject({ cidr: z.string().optional(), ip: z.string().optional() }).optional(),
  isExpiration: z.boolean().optional(),
  get fields() {
    return z.array(fieldSchema).optional()
  },
  get element() {
    return valueSchema.optional()
  },
})
const fieldSchema: z.ZodType<Field> = z.lazy(() =>
  valueSchema.and(z.looseObject({ name: z.string().min(1), required: z.boolean().optional() })),
) as unknown as z.ZodType<Field>
const documentSchema = z.looseObject({ schema: z.string(), fields: z.array(fieldSchema).min(1) })

interface Value {
  readonly type: string
  readonly indicators?: readonly string[] | undefined
  readonly validate?: { readonly cidr?: string | undefined; readonly ip?: string | undefined } | undefined
  readonly isExpiration?: boolean | undefined
  readonly fields?: readonly Field[] | undefined
  readonly element?: Value | undefined
}
interface Field extends Value {
  readonly name: string
  readonly required?: boolean | undefined
}

/** Maximum nesting depth of a cell, the same as of a row in JSON. */
const MAX_DEPTH = 32

/** Values of these types are compared without regard to case. */
const CASELESS = new Set(['domain', 'hostname', 'email', 'md5', 'sha1', 'sha256'])

/**
 * Reads a schema document (an ordinary schema file) as far as tables need it.
 *
 * @throws {ConfigError} with file and path.
 */
export function compileTableSchema(document: unknown, { file }: { readonly file: string }): TableSchema {
  const parsed = documentSchema.safeParse(document)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    throw new ConfigError(issue.message, { file, path: issue.path.join('.') })
  }
  const { schema: name, fields } = parsed.data
  const [expiring, ...others] = fields.filter((field) => field.isExpiration)
  if (others.length > 0)
    throw new ConfigError(`'${expiring!.name}' and '${others[0]!.name}' are both marked isExpiration: a row has one expiration`, {
      file,
    })
  const byName = new Map(fields.map((field) => [field.name, field]))
  const marked = collectMarked(fields, [])
  return {
    name,
    fields: new Set(byName.keys()),
    expiration: expiring?.name,
    matchOf: (field) => matchOf(byName.get(field)),
    automaticOf: (field) => automaticOf(byName.get(field)?.indicators),
    shape: (row, isText) => shape(fields, row, isText),
    indicators: (row) => gather(marked, row),
  }
}

/**
 * The same for a table without a schema file, from the `Indicators` in its YAML (column → indicators): rows are not checked, and whether
 * keys are addresses or networks is detected from the keys.
 */
export function schemaOfIndicators(indicators: Readonly<Record<string, readonly string[]>>): TableSchema {
  const marked = Object.entries(indicators).map(([column, names]) => ({ path: [column], indicators: names }))
  const of = (field: string) => (Object.hasOwn(indicators, field) ? indicators[field]! : [])
  return {
    name: 'Indicators',
    fields: undefined,
    matchOf: (field) => (of(field).some((one) => CASELESS.has(one)) ? 'ignore_case' : undefined),
    automaticOf: (field) => automaticOf(of(field)),
    shape: (row) => row,
    indicators: (row) => gather(marked, row),
  }
}

function automaticOf(indicators: readonly string[] = []): string | undefined {
  return indicators.map((one) => AUTOMATIC[one]).find((one) => one !== undefined)
}

function matchOf(field: Value | undefined): MatchKind {
  if (field?.validate?.cidr) return 'cidr'
  if (field?.validate?.ip || field?.indicators?.includes('ip')) return 'ip'
  return field?.indicators?.some((indicator) => CASELESS.has(indicator)) ? 'ignore_case' : 'exact'
}

function shape(fields: readonly Field[], row: JsonObject, isText: boolean): JsonObject | string {
  for (const field of fields) {
    const value = Object.hasOwn(row, field.name) ? row[field.name] : undefined
    if (value === undefined || value === null || value === '') {
      if (field.required) return `it has no '${field.name}'`
      if (isText && value === '' && field.type !== 'string') delete row[field.name]
    } else if (isText && field.type !== 'string') {
      const converted = fromText(value as string, field.type)
      if (converted === undefined)
        return `its '${field.name}' is not of type ${field.type}: ${JSON.stringify(value).slice(0, 80)}`
      row[field.name] = converted
    }
  }
  return row
}

/** A CSV cell converted to the type of its field; `undefined` if that is impossible. */
function fromText(text: string, type: string): JsonValue | undefined {
  switch (type) {
    case 'int':
    case 'smallint':
    case 'bigint':
    case 'ubigint': {
      if (!/^-?\d{1,20}$/.test(text)) return undefined
      const number = Number(text)
      return Number.isSafeInteger(number) ? number : BigInt(text)
    }
    case 'float': {
      const number = Number(text)
      return Number.isFinite(number) ? number : undefined
    }
    case 'boolean':
      return /^true$/i.test(text) ? true : /^false$/i.test(text) ? false : undefined
    case 'array':
    case 'object':
    case 'json': {
      const read = parseJson(text, { maxDepth: MAX_DEPTH })
      if (read.kind === 'ok') return read.value
      return type === 'json' && read.reason !== 'too_deep' ? text : undefined
    }
    default:
      return text
  }
}

interface Marked {
  readonly path: readonly string[]
  readonly indicators: readonly string[]
}

function collectMarked(fields: readonly Field[], above: readonly string[]): Marked[] {
  return fields.flatMap((field) => collectValue(field, [...above, field.name]))
}

function collectValue(value: Value, path: readonly string[]): Marked[] {
  const own = value.indicators?.length ? [{ path, indicators: value.indicators }] : []
  const below = value.fields ? collectMarked(value.fields, path) : []
  return [...own, ...below, ...(value.element ? collectValue(value.element, path) : [])]
}

function gather(marked: readonly Marked[], row: JsonObject): Record<string, string[]> {
  const found = new Map<string, string[]>()
  const add = ({ field, value }: IndicatorValue) => {
    const list = found.get(field) ?? []
    if (!list.includes(value)) list.push(value)
    found.set(field, list)
  }
  for (const { path, indicators } of marked) {
    for (const text of textsAt(row, path, 0)) for (const one of indicators) indicatorsOf(one, text).forEach(add)
  }
  return Object.fromEntries(found)
}

function textsAt(value: JsonValue | undefined, path: readonly string[], step: number): string[] {
  if (Array.isArray(value)) return value.flatMap((element) => textsAt(element, path, step))
  if (step < path.length) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, path[step]!)) return []
    return textsAt((value as JsonObject)[path[step]!], path, step + 1)
  }
  return typeof value === 'string' || typeof value === 'number' ? [String(value)] : []
}
