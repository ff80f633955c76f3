import type { JsonObject, JsonValue } from '../../model/json.ts'
import { decimalOf, integerOf, textOf, timeOf } from '../parquet/values.ts'
import type { AvroCursor } from './cursor.ts'

/** Reads one value. `depth`: how many values it is in. */
export type ReadValue = (cursor: AvroCursor, depth: number) => JsonValue

/** True for an object, which an array is not. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const MAX_DEPTH = 64
const MAX_TYPES = 10_000

const PRIMITIVES: Readonly<Record<string, (cursor: AvroCursor) => JsonValue>> = {
  null: () => null,
  boolean: (cursor) => cursor.take(1)[0] === 1,
  int: (cursor) => cursor.long(),
  long: (cursor) => cursor.long(),
  float: (cursor) => finite(cursor.take(4).readFloatLE()),
  double: (cursor) => finite(cursor.take(8).readDoubleLE()),
  bytes: (cursor) => textOf(cursor.prefixed()),
  string: (cursor) => cursor.prefixed().toString(),
}

function finite(number: number): number | null {
  return Number.isFinite(number) ? number : null
}

/** Turns a schema into what reads its values (https://avro.apache.org/docs/1.12.0/specification/). Throws if it is not valid. */
export function readerOf(schema: JsonValue): ReadValue {
  return new Compiler().type(schema, '', 0)
}

class Compiler {
  /** By full name. A type may contain itself, so it is looked up only when a value is read. */
  readonly #named = new Map<string, ReadValue>()
  #types = 0

  type(schema: JsonValue, space: string, depth: number): ReadValue {
    if (++this.#types > MAX_TYPES) throw new Error(`its schema has more than ${MAX_TYPES} types`)
    if (depth > MAX_DEPTH) throw new Error(`its schema is nested deeper than ${MAX_DEPTH}`)
    return counted(this.#type(schema, space, depth + 1))
  }

  #type(schema: JsonValue, space: string, depth: number): ReadValue {
    if (typeof schema === 'string') return this.#reference(schema, space)
    if (Array.isArray(schema)) return union(schema.map((one) => this.type(one, space, depth)))
    if (!isObject(schema)) throw new Error('its schema has a type that is neither a name nor a definition')
    const { type } = schema
    const logical = LOGICAL[String(schema['logicalType'])]?.(schema)
    if (type === 'record' || type === 'error') return this.#record(schema, space, depth)
    if (type === 'enum') return this.#define(schema, space, enumOf(schema))
    if (type === 'fixed') return this.#define(schema, space, fixedOf(schema))
    if (type === 'array') return blocks(this.type(schema['items'] ?? '', space, depth))
    if (type === 'map') return map(this.type(schema['values'] ?? '', space, depth))
    if (type === 'bytes' && schema['logicalType'] === 'decimal') {
      const scale = scaleOf(schema)
      return (cursor) => decimalOf(cursor.prefixed(), scale)
    }
    if (typeof type === 'string' && logical && (type === 'int' || type === 'long')) return (cursor) => logical(cursor.long())
    return this.type(type ?? '', space, depth)
  }

  #reference(name: string, space: string): ReadValue {
    const primitive = Object.hasOwn(PRIMITIVES, name) ? PRIMITIVES[name] : undefined
    if (primitive) return primitive
    const full = fullName(name, space)
    if (!this.#named.has(full)) throw new Error(`its schema uses the unknown type ${JSON.stringify(name.slice(0, 100))}`)
    return (cursor, depth) => this.#named.get(full)!(cursor, depth)
  }

  #define(schema: JsonObject, space: string, read: ReadValue): ReadValue {
    const name = fullName(String(schema['name']), typeof schema['namespace'] === 'string' ? schema['namespace'] : space)
    if (this.#named.has(name)) throw new Error(`its schema defines ${JSON.stringify(name.slice(0, 100))} twice`)
    this.#named.set(name, read)
    return read
  }

  #record(schema: JsonObject, space: string, depth: number): ReadValue {
    const members: (readonly [string, ReadValue])[] = []
    const read: ReadValue = (cursor, at) => {
      if (at > MAX_DEPTH) throw new Error(`a value is nested deeper than ${MAX_DEPTH}`)
      return Object.fromEntries(members.map(([name, member]) => [name, member(cursor, at + 1)]))
    }
    this.#define(schema, space, read)
    const own = fullName(String(schema['name']), typeof schema['namespace'] === 'string' ? schema['namespace'] : space)
    const { fields } = schema
    if (!Array.isArray(fields)) throw new Error('a record of its schema has no fields')
    for (const field of fields) {
      const name = isObject(field) ? field['name'] : undefined
      if (typeof name !== 'string') throw new Error('a field of its schema has no name')
      members.push([name, this.type((field as JsonObject)['type'] ?? '', own.slice(0, Math.max(0, own.lastIndexOf('.'))), depth)])
    }
    return read
  }
}

class TooManyValues extends Error {
  constructor() {
    super('it has more values than a file of its size may have: have the sender write smaller ones, or fields that are not null')
  }
}

function counted(read: ReadValue): ReadValue {
  return (cursor, depth) => {
    const { at } = cursor
    if (--cursor.left < 0) throw new TooManyValues()
    const value = read(cursor, depth)
    if (cursor.at === at && --cursor.emptyLeft < 0) throw new TooManyValues()
    return value
  }
}

/** The name of a type with its namespace. */
function fullName(name: string, space: string): string {
  return name.includes('.') || space === '' ? name : `${space}.${name}`
}

function union(branches: readonly ReadValue[]): ReadValue {
  return (cursor, depth) => {
    const branch = branches[cursor.count()]
    if (!branch) throw new Error(`a union at byte ${cursor.at} of a block has no such branch`)
    if (depth > MAX_DEPTH) throw new Error(`a value is nested deeper than ${MAX_DEPTH}`)
    return branch(cursor, depth + 1)
  }
}

function enumOf({ symbols }: JsonObject): ReadValue {
  if (!Array.isArray(symbols)) throw new Error('an enum of its schema has no symbols')
  return (cursor) => {
    const symbol = symbols[cursor.count()]
    if (symbol === undefined) throw new Error(`an enum at byte ${cursor.at} of a block has no such symbol`)
    return symbol
  }
}

function fixedOf(schema: JsonObject): ReadValue {
  const { size, logicalType: logical } = schema
  if (!Number.isSafeInteger(size)) throw new Error('a fixed type of its schema has no size')
  const length = size as number
  if (logical === 'decimal') {
    const scale = scaleOf(schema)
    return (cursor) => decimalOf(cursor.take(length), scale)
  }
  if (logical === 'uuid' && length === 16)
    return (cursor) =>
      cursor
        .take(16)
        .toString('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  return (cursor) => textOf(cursor.take(length))
}

function scaleOf({ scale = 0 }: JsonObject): number {
  if (!(Number.isSafeInteger(scale) && (scale as number) >= 0 && (scale as number) <= 1000))
    throw new Error('a decimal of its schema has an impossible scale')
  return scale as number
}

/** Calls `each` for each element of an array or a map, which come in blocks. */
function inBlocks(cursor: AvroCursor, each: () => void): void {
  for (;;) {
    let count = cursor.count()
    if (count === 0) return
    if (count < 0) {
      count = -count
      cursor.count()
    }
    for (; count > 0; count--) each()
  }
}

function blocks(item: ReadValue): ReadValue {
  return (cursor, depth) => {
    if (depth > MAX_DEPTH) throw new Error(`a value is nested deeper than ${MAX_DEPTH}`)
    const items: JsonValue[] = []
    inBlocks(cursor, () => items.push(item(cursor, depth + 1)))
    return items
  }
}

function map(value: ReadValue): ReadValue {
  return (cursor, depth) => {
    if (depth > MAX_DEPTH) throw new Error(`a value is nested deeper than ${MAX_DEPTH}`)
    const members: [string, JsonValue][] = []
    inBlocks(cursor, () => members.push([cursor.prefixed().toString(), value(cursor, depth + 1)]))
    return Object.fromEntries(members)
  }
}

type FromInteger = (value: number | bigint) => JsonValue

const timestamp =
  (digits: 3 | 6 | 9): FromInteger =>
  (value) =>
    timeOrNumber(value, digits)

/** Times before the year 1 and after 275760 cannot be written, so they stay numbers. */
function timeOrNumber(value: number | bigint, digits: 3 | 6 | 9): JsonValue {
  try {
    return timeOf(BigInt(value), digits)
  } catch {
    return integerOf(BigInt(value))
  }
}

const local =
  (digits: 3 | 6 | 9): FromInteger =>
  (value) => {
    const text = timeOrNumber(value, digits)
    return typeof text === 'string' ? text.slice(0, -1) : text
  }

/** Logical types of integers. */
const LOGICAL: Readonly<Record<string, (schema: JsonObject) => FromInteger>> = {
  date: () => (days) => {
    const text = timeOrNumber(BigInt(days) * 86_400_000n, 3)
    return typeof text === 'string' ? text.slice(0, text.indexOf('T')) : days
  },
  'timestamp-millis': () => timestamp(3),
  'timestamp-micros': () => timestamp(6),
  'timestamp-nanos': () => timestamp(9),
  'local-timestamp-millis': () => local(3),
  'local-timestamp-micros': () => local(6),
  'local-timestamp-nanos': () => local(9),
}
