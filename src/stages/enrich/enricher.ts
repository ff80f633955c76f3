import type { Event } from '../../model/event.ts'
import { parseIp } from '../../model/ip.ts'
import type { JsonObject, JsonValue } from '../../model/json.ts'
import { type LogTypeShape, selectorsFor } from './associations.ts'
import { parseSelector, type Selector } from './selector.ts'
import type { Enricher, Table } from './table.ts'

/** Matches of one list-valued selector beyond this are left out, and `p_enrichment.p_any_truncated` names it. */
const MAX_LIST = 100

/** One field of an event and the tables that are asked for its value. */
interface Join {
  readonly selector: Selector
  /** A field of the event itself, whose name no object inherits: the fast case. */
  readonly isPlain: boolean
  readonly tables: readonly Table[]
  /** Some of the tables are asked for addresses: the value is read as one once, for all of them. */
  readonly hasAddresses: boolean
}

/** An enricher over the tables in force. Make a new one when a table has been replaced: it costs microseconds. */
export function createEnricher(tables: readonly Table[]): Enricher {
  const byName = new Map(tables.map((table) => [table.name, table]))
  const plans = new WeakMap<LogTypeShape, readonly Join[]>()
  return {
    enrich(schema, events) {
      let plan = plans.get(schema)
      if (!plan) {
        plan = planFor(schema, tables)
        plans.set(schema, plan)
      }
      if (plan.length === 0) return
      for (const event of events) enrichEvent(event, plan)
    },
    lookup: (name, key) => byName.get(name)?.get(key),
  }
}

/** What is to be looked up for events of a log type: each field once, with all tables that are joined on it. */
function planFor(logType: LogTypeShape, tables: readonly Table[]): Join[] {
  const bySelector = new Map<string, { selector: Selector; tables: Table[] }>()
  for (const table of tables) {
    for (const text of selectorsFor(table.binding, logType)) {
      const selector = parseSelector(text)
      const join = bySelector.get(selector.name) ?? { selector, tables: [] }
      join.tables.push(table)
      bySelector.set(selector.name, join)
    }
  }
  return [...bySelector.values()].map((join) => ({
    ...join,
    isPlain: join.selector.path.length === 1 && join.selector.path[0] === join.selector.name && !(join.selector.name in {}),
    hasAddresses: join.tables.some(isOfAddresses),
  }))
}

function isOfAddresses({ match }: Table): boolean {
  return match === 'ip' || match === 'cidr'
}

function enrichEvent(event: Event, plan: readonly Join[]): void {
  let enrichment: Enrichment | undefined
  for (const join of plan) {
    const { name } = join.selector
    const value = join.isPlain ? event[name] : select(event, join.selector)
    if (value === undefined || value === null) continue
    if (Array.isArray(value)) {
      for (const table of join.tables) {
        const hits = rowsOf(table, value)
        if (hits !== undefined) enrichment = (enrichment ?? new Enrichment()).list(table, name, hits)
      }
      continue
    }
    const key = typeof value === 'string' ? value : keyOf(value)
    if (key === undefined) continue
    const family = join.hasAddresses ? parseIp(key, words) : 0
    for (const table of join.tables) {
      const row = isOfAddresses(table) ? table.getAddress(family, words) : table.get(key)
      if (row !== undefined) enrichment = (enrichment ?? new Enrichment()).one(table, name, row, value)
    }
  }
  if (enrichment !== undefined) event['p_enrichment'] = enrichment.finish()
}

/** The address that the tables of one field are asked for. */
const words = new Uint32Array(4)

/** A field whose name holds dots wins over the path. */
function select(event: Event, { name, path }: Selector): JsonValue | undefined {
  return Object.hasOwn(event, name) ? event[name] : valueAt(event, path, 0)
}

interface Hit {
  readonly row: JsonObject
  readonly value: JsonValue
}

/** Rows of a list's distinct values; `undefined` when there is none. */
function rowsOf(table: Table, values: readonly JsonValue[]): Hit[] | undefined {
  let hits: Hit[] | undefined
  let seen: Set<JsonValue> | undefined
  for (const value of values) {
    const key = typeof value === 'string' ? value : keyOf(value)
    const row = key === undefined ? undefined : table.get(key)
    if (row === undefined || seen?.has(value)) continue
    seen ??= new Set()
    seen.add(value)
    hits ??= []
    hits.push({ row, value })
    if (hits.length > MAX_LIST) break
  }
  return hits
}

/** What `p_enrichment` will hold, gathered from the first match on. */
class Enrichment {
  readonly #tables = new Map<string, JsonObject>()
  readonly #indicators = new Map<string, string[]>()
  readonly #truncated: string[] = []

  one(table: Table, selector: string, row: JsonObject, value: JsonValue): this {
    this.#under(table)[selector] = this.#copy(table, row, value)
    return this
  }

  list(table: Table, selector: string, hits: readonly Hit[]): this {
    if (hits.length > MAX_LIST) this.#truncated.push(`${table.name}.${selector}`)
    this.#under(table)[selector] = hits.slice(0, MAX_LIST).map(({ row, value }) => this.#copy(table, row, value))
    return this
  }

  finish(): JsonObject {
    const truncated = this.#truncated.length > 0 ? [['p_any_truncated', this.#truncated] as const] : []
    return Object.fromEntries<JsonValue>([...this.#tables, ...this.#indicators, ...truncated])
  }

  #under(table: Table): JsonObject {
    const under = this.#tables.get(table.name) ?? {}
    this.#tables.set(table.name, under)
    return under
  }

  #copy(table: Table, row: JsonObject, value: JsonValue): JsonObject {
    for (const [field, values] of Object.entries(table.indicators(row))) {
      const list = this.#indicators.get(field) ?? []
      for (const one of values) if (!list.includes(one)) list.push(one)
      this.#indicators.set(field, list)
    }
    // Spread copies own properties as data, a key `__proto__` too.
    return { ...row, p_match: value, p_version: table.version }
  }
}

/** Numbers and booleans are looked up as their text; objects are no keys. */
function keyOf(value: JsonValue): string | undefined {
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : undefined
}

/** The value at a path; a list of values when an array lies on the way. */
function valueAt(value: JsonValue | undefined, path: readonly string[], step: number): JsonValue | undefined {
  if (Array.isArray(value)) {
    const found: JsonValue[] = []
    for (const element of value) {
      const inner = valueAt(element as JsonValue, path, step)
      if (Array.isArray(inner)) found.push(...(inner as JsonValue[]))
      else if (inner !== undefined) found.push(inner)
    }
    return found
  }
  if (step === path.length) return value
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, path[step]!)) return undefined
  return valueAt((value as JsonObject)[path[step]!], path, step + 1)
}
