import type { CompiledSchema } from '../../model/schema.ts'
import { messageOf } from '../../util/errors.ts'
import { compileSchema } from './compile.ts'
import { zeekName } from './zeek-names.ts'

/** A column as described by the log's own header: `id.orig_h`, `addr`. */
export interface HeaderField {
  readonly name: string
  readonly type: string
}

/**
 * Limits on log types derived from headers at run time, and on the headers: each source has its own share, and beyond that all
 * sources share a pool. More are refused.
 */
const OWN_LOG_TYPES = 20
const SHARED_LOG_TYPES = 80
const OWN_HEADERS = 80
const SHARED_HEADERS = 320

const MAX_FIELDS = 300
const MAX_NAME = 128
/** Maximum number of fields of one log type under all its headers; each is a column in its table. */
const MAX_FIELDS_IN_ALL = 1000

const TIME = { type: 'timestamp', timeFormats: ['unix', 'rfc3339', 'unix_ms'] }

/** Zeek types → schema types; types not listed are text. */
const TYPES: Readonly<Record<string, object>> = {
  bool: { type: 'boolean' },
  count: { type: 'ubigint' },
  int: { type: 'bigint' },
  port: { type: 'int' },
  double: { type: 'float' },
  interval: { type: 'float' },
  time: TIME,
  addr: { type: 'string', indicators: ['ip'] },
}

/** The schema file that a header stands for; a sentence says why there is none. `sourceId`: whose record has the header. */
export type DescribeHeader = (logType: string, header: readonly HeaderField[], sourceId: string) => object | string

/**
 * Derives schemas from headers for Zeek logs without a schema file. The same path and fields yield the same schema.
 */
export class HeaderSchemas {
  /** What headers stand for. */
  readonly describe: DescribeHeader
  readonly #made = new Map<string, CompiledSchema>()
  readonly #keys = new WeakMap<CompiledSchema, string>()

  /** `describe`: asks another thread, so that all threads derive the same fields. Absent: headers are described here. */
  constructor(describe?: DescribeHeader) {
    const headers = new Headers()
    this.describe = describe ?? ((...header) => headers.describe(...header))
  }

  get(logType: string, header: readonly HeaderField[], sourceId: string): CompiledSchema | string {
    const key = keyOf(logType, header)
    const known = this.#made.get(key)
    if (known) return known
    const document = this.describe(logType, header, sourceId)
    if (typeof document === 'string') return document
    const schema = compiled(logType, document)
    this.#made.set(key, schema)
    this.#keys.set(schema, key)
    return schema
  }

  /** Identifies the schema among those of its log type; `undefined` for one that was not derived from a header. */
  keyOf(schema: CompiledSchema): string | undefined {
    return this.#keys.get(schema)
  }

  /** The schema with that key, which another thread derived. */
  byKey(key: string): CompiledSchema {
    const known = this.#made.get(key)
    if (known) return known
    const [logType, ...fields] = JSON.parse(key) as [string, ...[name: string, type: string][]]
    const header = fields.map(([name, type]) => ({ name, type }))
    const schema = this.get(logType, header, '')
    if (typeof schema === 'string') throw new Error(`${logType} has a schema in another thread but not here: ${schema}`)
    return schema
  }
}

function keyOf(logType: string, header: readonly HeaderField[]): string {
  return JSON.stringify([logType, ...header.map(({ name, type }) => [name, type])])
}

function compiled(logType: string, document: object): CompiledSchema {
  return compileSchema(document, { file: `(header of ${logType})` })
}

/**
 * Describes headers of logs without a schema file. Returns a sentence instead if a header is refused: headers are untrusted, and every
 * log type costs two tables.
 */
class Headers {
  readonly #described = new Map<string, object>()
  /** Log type → field → its type: a field keeps the first type it had. */
  readonly #types = new Map<string, Map<string, string>>()
  readonly #logTypeShares = new Shares(OWN_LOG_TYPES, SHARED_LOG_TYPES)
  readonly #headerShares = new Shares(OWN_HEADERS, SHARED_HEADERS)

  describe(logType: string, header: readonly HeaderField[], sourceId: string): object | string {
    if (!/^Zeek\.[A-Z][A-Za-z0-9]{1,62}$/.test(logType)) return 'its path is not one word of letters and digits'
    if (header.length > MAX_FIELDS)
      return `its header has ${header.length} fields, more than the ${MAX_FIELDS} allowed without a schema`
    const bad = header.find(({ name }) => name.length > MAX_NAME || !/^[\w.-]+$/.test(name))
    if (bad) return `its header has an invalid field name: ${JSON.stringify(bad.name.slice(0, 40))}`
    const key = keyOf(logType, header)
    const known = this.#described.get(key)
    if (known) return known
    const isNewType = !this.#types.has(logType)
    if (!this.#headerShares.has(sourceId) || (isNewType && !this.#logTypeShares.has(sourceId)))
      return `${this.#types.size} log types have been derived from headers since the start, and this source has used up its share`
    const types = new Map(this.#types.get(logType))
    try {
      const document = documentOf(logType, header, types)
      if (types.size > MAX_FIELDS_IN_ALL) return `its headers have more than ${MAX_FIELDS_IN_ALL} fields in all`
      compiled(logType, document)
      this.#described.set(key, document)
      this.#types.set(logType, types)
      this.#headerShares.take(sourceId)
      if (isNewType) this.#logTypeShares.take(sourceId)
      return document
    } catch (error) {
      return messageOf(error)
    }
  }
}

/** A limit for each source, plus a pool that all sources share. */
class Shares {
  readonly #own: number
  readonly #bySource = new Map<string, number>()
  #shared: number

  constructor(own: number, shared: number) {
    this.#own = own
    this.#shared = shared
  }

  has(sourceId: string): boolean {
    return this.#shared > 0 || (this.#bySource.get(sourceId) ?? 0) < this.#own
  }

  take(sourceId: string): void {
    const taken = this.#bySource.get(sourceId) ?? 0
    if (taken < this.#own) this.#bySource.set(sourceId, taken + 1)
    else this.#shared--
  }
}

/** The schema file equivalent to the header; records the types of its fields. */
function documentOf(logType: string, header: readonly HeaderField[], types: Map<string, string>): object {
  const taken = new Set<string>()
  const time = header.find(({ name, type }) => type === 'time' && name === 'ts') ?? header.find(({ type }) => type === 'time')
  const fields = header.map(({ name: from, type }) => {
    const wanted = /^(p_.*|extra)$/.test(zeekName(from)) ? `_${zeekName(from)}` : zeekName(from)
    const first = types.get(wanted)
    let name = first === undefined || first === type ? wanted : `${wanted}_${type.replace(/\W+/g, '_').slice(0, 20)}`
    for (let n = 2; taken.has(name); n++) name = `${wanted}_${n}`
    taken.add(name)
    types.set(name, type)
    return { name, rename: { from }, ...valueSpecOf(type), ...(from === time?.name && { isEventTime: true }) }
  })
  return { schema: logType, parser: { native: { name: 'zeek' } }, fields }
}

function valueSpecOf(type: string): object {
  const element = /^(?:set|table|vector|list)\[(\w+)\]$/.exec(type)?.[1]
  return element === undefined ? scalarOf(type) : { type: 'array', element: scalarOf(element) }
}

function scalarOf(type: string): object {
  return Object.hasOwn(TYPES, type) ? TYPES[type]! : { type: 'string' }
}
