import type { JsonObject, JsonValue } from '../../model/json.ts'
import type { DeadLetterReason, Outcome } from '../../model/outcome.ts'
import { parseJson, setOwn } from '../../util/json.ts'
import type { FieldSpec, ValidateSpec, ValueSpec } from './document.ts'
import { type Extractor, extractors, type IndicatorName, type Indicators, isIp, isIpv4 } from './indicators.ts'
import { rfc3339Time, unixSeconds } from './time.ts'
import { compileTimeFormat, type TimeReader } from './time-format.ts'
import { compileTransform, isDerived, type ReadSecret } from './transformations.ts'

/** As of a record, unless configured otherwise. */
const MAX_EMBEDDED_DEPTH = 100

/** A value that does not fit its schema, with the outcome of its record. */
export class Misfit {
  readonly outcome: Outcome<never>

  constructor(reason: DeadLetterReason, message: string) {
    this.outcome = { kind: 'dead-letter', reason, message }
  }
}

/** Reads a value of a known type and collects the indicators in it. `path` is for messages; `receivedMs`, epoch milliseconds,
 * dates times without a year. Never called with null. `undefined`: there
 * is no value. */
export type ValueReader = (value: JsonValue, path: string, into: Indicators, receivedMs: number) => JsonValue | undefined | Misfit

/** A value for a message: its type and its shortened text. */
function shown(value: JsonValue): string {
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return value === null ? 'null' : 'an object'
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

function wrongType(value: JsonValue, path: string, wanted: string): Misfit {
  return new Misfit(
    'wrong_type',
    `field '${path}' should be ${wanted} but is ${shown(value)}: correct what the sender writes, or the field's type in the schema`,
  )
}

/** A required field that is absent or null. */
export function missingField(name: string, logType: string): Misfit {
  return new Misfit(
    'missing_field',
    `field '${name}' is required by ${logType} but is missing: is this record of another log type?`,
  )
}

/** Strings unchanged; numbers and booleans as JSON text. */
export function toText(value: JsonValue, path: string): string | Misfit {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  return wrongType(value, path, 'a string')
}

const BOUNDS = {
  smallint: { low: -32_768n, high: 32_767n },
  int: { low: -2_147_483_648n, high: 2_147_483_647n },
  bigint: { low: -(2n ** 63n), high: 2n ** 63n - 1n },
  ubigint: { low: 0n, high: 2n ** 64n - 1n },
} as const
type IntegerType = keyof typeof BOUNDS

export function isIntegerType(type: string): type is IntegerType {
  return Object.hasOwn(BOUNDS, type)
}

/** Integers and texts of integers, within the type's range; BigInt only beyond ±2^53. */
export function toInteger(value: JsonValue, path: string, type: IntegerType): number | bigint | Misfit {
  let exact: bigint | undefined
  if (typeof value === 'bigint') exact = value
  else if (typeof value === 'number' && Number.isInteger(value)) exact = BigInt(value)
  else if (typeof value === 'string' && /^\s*[+-]?\d{1,20}\s*$/.test(value)) exact = BigInt(value.replace('+', ''))
  const { low, high } = BOUNDS[type]
  if (exact === undefined) return wrongType(value, path, `an integer (${type})`)
  if (exact < low || exact > high) return wrongType(value, path, `an integer from ${low} to ${high} (${type})`)
  const number = Number(exact)
  return Number.isSafeInteger(number) ? number : exact
}

/** Numbers and texts of decimal numbers. */
export function toFloat(value: JsonValue, path: string): number | Misfit {
  let number = Number.NaN
  if (typeof value === 'number' || typeof value === 'bigint') number = Number(value)
  else if (typeof value === 'string' && /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/.test(value)) number = Number(value)
  return Number.isFinite(number) ? number : wrongType(value, path, 'a number')
}

/** Booleans and the texts `true` and `false`. */
export function toBoolean(value: JsonValue, path: string): boolean | Misfit {
  if (typeof value === 'boolean') return value
  const word = typeof value === 'string' ? value.trim().toLowerCase() : ''
  return word === 'true' ? true : word === 'false' ? false : wrongType(value, path, 'true or false')
}

/**
 * The forms in which events hold times: ours, and `2024-04-19 10:00:00.123` as Panther exports them. A former event may come back, in a
 * dead letter or by hand, whatever the format of its log.
 */
const OF_EVENTS = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{1,9})?Z| \d\d:\d\d:\d\d(?:\.\d{1,9})?)$/

type TimeValueReader = (value: JsonValue, path: string, into: Indicators, receivedMs: number) => string | Misfit

/** Reads a time given as text or number (whose shortest text loses nothing), trying the formats in order. */
export function timeReader({ timeFormats: formats, timeZone }: Pick<ValueSpec, 'timeFormats' | 'timeZone'>): TimeValueReader {
  const readers = formats.map((format) => {
    const reader = compileTimeFormat(format, timeZone)
    if (typeof reader === 'string') throw new Error(reader)
    return reader
  }) as [TimeReader, ...TimeReader[]]
  const isUnixFirst = formats[0] === 'unix'
  return (value, path, _, receivedMs) => {
    if (isUnixFirst && typeof value === 'number') {
      const time = unixSeconds(value)
      if (time !== undefined) return time
    }
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint')
      return wrongType(value, path, 'a time')
    const text = typeof value === 'string' ? value : String(value)
    for (let i = 0; i < readers.length; i++) {
      const time = readers[i]!(text, receivedMs)
      if (time !== undefined) return time
    }
    const written = OF_EVENTS.test(text) ? rfc3339Time(text.endsWith('Z') ? text : `${text}Z`) : undefined
    if (written !== undefined) return written
    return new Misfit(
      'invalid_time',
      `field '${path}' is not a time from 1900 to 2261 in the format ${formats.join(' or ')}: ${shown(value)}. Correct the sender's clock or format, or add the format to the schema`,
    )
  }
}

/** `undefined` when the text is allowed. */
export function validator(spec: ValidateSpec): (text: string, path: string) => Misfit | undefined {
  const { ip, cidr } = spec
  const allow = spec.allow && new Set(spec.allow)
  const deny = spec.deny && new Set(spec.deny)
  return (text, path) => {
    if (allow && !allow.has(text))
      return wrongType(text, path, `one of the allowed values (${[...allow].slice(0, 10).join(', ')})`)
    if (deny?.has(text)) return wrongType(text, path, 'none of the denied values')
    if (ip && !isAddress(text, ip)) return wrongType(text, path, `an address (${ip})`)
    if (cidr && !isNetwork(text, cidr)) return wrongType(text, path, `a network in CIDR notation (${cidr})`)
    return undefined
  }
}

function isAddress(text: string, family: 'ipv4' | 'ipv6' | 'any'): boolean {
  return isIp(text) && (family === 'any' || isIpv4(text) === (family === 'ipv4'))
}

function isNetwork(text: string, family: 'ipv4' | 'ipv6' | 'any'): boolean {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text)
  return match !== null && isAddress(match[1]!, family) && Number(match[2]) <= (isIpv4(match[1]!) ? 32 : 128)
}

/** One function for the indicators of a value, or `undefined`. */
export function indicatorReader(names: readonly string[]): ((text: string, into: Indicators) => void) | undefined {
  const list = names.map((name): Extractor => extractors[name as IndicatorName])
  if (list.length === 0) return undefined
  if (list.length === 1) return list[0]!.extract
  return (text, into) => {
    for (const extractor of list) extractor.extract(text, into)
  }
}

/** A reader for any type, including nested ones. The compiled schema calls it for whatever it does not handle inline. */
export function valueReader(spec: ValueSpec, secret: ReadSecret): ValueReader {
  const read = typeReader(spec, secret)
  return spec.isEmbedded ? embeddedReader(read) : read
}

/** JSON in a text is read like JSON in the record; a blank text has none. */
function embeddedReader(read: ValueReader): ValueReader {
  return (value, path, into, receivedMs) => {
    if (typeof value !== 'string') return read(value, path, into, receivedMs)
    if (value.trim() === '') return undefined
    const result = parseJson(value, { maxDepth: MAX_EMBEDDED_DEPTH })
    if (result.kind === 'failure')
      return new Misfit(
        result.reason,
        `field '${path}' should be a text with JSON (isEmbeddedJSON), but ${result.message}: ${shown(value)}`,
      )
    return result.value === null ? undefined : read(result.value, path, into, receivedMs)
  }
}

function typeReader(spec: ValueSpec, secret: ReadSecret): ValueReader {
  switch (spec.type) {
    case 'string':
      return stringReader(spec)
    case 'int':
    case 'smallint':
    case 'bigint':
    case 'ubigint': {
      const { type } = spec
      return (value, path) => toInteger(value, path, type)
    }
    case 'float':
      return toFloat
    case 'boolean':
      return toBoolean
    case 'timestamp':
      return timeReader(spec)
    case 'json':
      return (value) => value
    case 'array':
      return arrayReader(valueReader(spec.element!, secret))
    case 'object':
      return objectReader(spec, secret)
  }
}

function stringReader(spec: ValueSpec): ValueReader {
  const check = spec.validate && validator(spec.validate)
  const indicators = indicatorReader(spec.indicators)
  return (value, path, into) => {
    const text = toText(value, path)
    if (typeof text !== 'string') return text
    const misfit = check?.(text, path)
    if (misfit) return misfit
    indicators?.(text, into)
    return text
  }
}

/** The path of a part of a value. Almost always the value's own path is the same as before. */
function pathOf(part: string): (path: string) => string {
  let last = ''
  let whole = part
  return (path) => {
    if (path !== last) {
      last = path
      whole = path + part
    }
    return whole
  }
}

/** A null element stays null, since Zeek's vectors can have unset elements. The array itself if nothing in it changes. */
function arrayReader(read: ValueReader): ValueReader {
  const elementPath = pathOf('[]')
  return (value, path, into, receivedMs) => {
    if (!Array.isArray(value)) return wrongType(value, path, 'an array')
    const given = value as readonly JsonValue[]
    let changed: JsonValue[] | undefined
    for (let i = 0; i < given.length; i++) {
      const inner = given[i]!
      const result = inner === null ? null : read(inner, elementPath(path), into, receivedMs)
      if (result instanceof Misfit) return result
      if (result !== inner) changed ??= given.slice(0, i)
      changed?.push(result ?? null)
    }
    return changed ?? value
  }
}

/** The key under which an object has a field. */
function keyOf(field: FieldSpec): string {
  return isDerived(field) ? field.name : (field.from ?? field.name)
}

/** Members that are not in the schema are unchanged; known ones that are null are dropped. The object itself if nothing in it changes. */
function objectReader(spec: ValueSpec, secret: ReadSecret): ValueReader {
  const readers = new Map(
    spec.fields.map((field) => {
      const key = keyOf(field)
      return [key, { name: field.name, read: valueReader(field, secret), pathIn: pathOf(`.${key}`) }]
    }),
  )
  const required = spec.fields.filter((field) => field.required).map(keyOf)
  const transform = compileTransform(spec.fields, secret)
  return (value, path, into, receivedMs) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrongType(value, path, 'an object')
    const source = transform ? transform(value as JsonObject) : (value as JsonObject)
    let changed: JsonObject | undefined
    for (const key in source) {
      const inner = source[key]
      const field = readers.get(key)
      const isAbsent = inner === undefined || (field !== undefined && inner === null)
      const result = field && !isAbsent ? field.read(inner!, field.pathIn(path), into, receivedMs) : inner
      if (result instanceof Misfit) return result
      const name = field?.name ?? key
      if (isAbsent || result !== inner || name !== key) changed ??= membersBefore(key, source)
      if (changed && !isAbsent && result !== undefined) setOwn(changed, name, result)
    }
    const missing = required.find((key) => !Object.hasOwn(source, key) || source[key] === null)
    return missing === undefined ? (changed ?? source) : missingField(`${path}.${missing}`, 'the schema')
  }
}

function membersBefore(key: string, object: JsonObject): JsonObject {
  const before: JsonObject = {}
  for (const other in object) {
    if (other === key) break
    setOwn(before, other, object[other])
  }
  return before
}
