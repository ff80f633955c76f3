import type { Event } from '../../model/event.ts'
import type { JsonObject, JsonValue } from '../../model/json.ts'
import type { LogTypeShape } from './associations.ts'
import type { Chain } from './chains.ts'
import { fieldValue, keyText, valueAt } from './event-value.ts'
import { type Field, type Join, type MissesOf, planFor } from './join-plan.ts'
import type { Enricher, EnrichOptions, Table } from './table.ts'
import { type AbsentTable, tableRows } from './table-rows.ts'
import { AddressBatch } from './tables/address-batch.ts'
import { joinKey } from './tables/composite-index.ts'
import type { TableRow } from './tables/row-store.ts'

/** Maximum number of rows under one selector; `p_enrichment.p_any_truncated` names selectors with more. */
const MAX_LIST = 100
/** Maximum number of combinations of list-valued fields that are looked up as composite keys. */
const MAX_COMBINATIONS = 1000

/**
 * An enricher over the tables in force. Create a new one when a table has been replaced; that takes microseconds. `absent` explains look-ups
 * in others.
 */
export function createEnricher(
  tables: readonly Table[],
  missesOf: MissesOf = () => undefined,
  absent: AbsentTable = () => undefined,
): Enricher {
  const plans = new WeakMap<LogTypeShape, readonly Join[]>()
  const rowsOfAll = tableRows(tables, { missesOf, absent })
  const isExpiring = tables.some((table) => table.isExpiring)
  return {
    enrich(schema, events, options = {}) {
      let plan = plans.get(schema)
      if (!plan) {
        plan = planFor(schema, tables, missesOf)
        plans.set(schema, plan)
      }
      if (plan.length > 0) enrichEvents(events, plan, options)
    },
    rows: rowsOfAll,
    rowsAt: (atMs) => (isExpiring ? tableRows(tables, { atMs, missesOf, absent }) : rowsOfAll),
  }
}

/** Values looked up at once: enough that parsing addresses together pays off, few enough for the processor's cache. */
const AT_ONCE = 1000

const addresses = new AddressBatch(AT_ONCE)
const rows = new Int32Array(AT_ONCE)

function enrichEvents(events: readonly Event[], plan: readonly Join[], options: EnrichOptions): void {
  const found = new Map<number, Enrichment>()
  for (const join of plan) {
    const field = new FieldLookup(join, found, options)
    for (let i = 0; i < events.length; i++) field.take(events[i]!, i)
    field.finish()
  }
  for (const [event, enrichment] of found) events[event]!['p_enrichment'] = enrichment.finish()
}

/** Looks up the values of one field of many events in its tables, in batches. */
class FieldLookup {
  readonly #join: Join
  readonly #found: Map<number, Enrichment>
  readonly #isPast: boolean
  readonly #atMs: number | undefined
  /** The values to look up. */
  readonly #texts: string[] = []
  /** The values as they are in the event, for `p_match`. */
  readonly #values: JsonValue[] = []
  /** The number of each value's event; negative (`~number`) if the field is a list. */
  readonly #events: number[] = []

  constructor(join: Join, found: Map<number, Enrichment>, { isPast = false, atMs }: EnrichOptions) {
    this.#atMs = atMs
    this.#join = join
    this.#isPast = isPast
    this.#found = found
  }

  take(event: Event, number: number): void {
    const { fields, isPlain } = this.#join
    if (fields.length > 1) {
      this.#takeSeveral(event, number)
      return
    }
    const [field] = fields
    const value = isPlain ? event[field!.name] : this.#select(event, number, field!)
    if (value === undefined || value === null) return
    if (!Array.isArray(value)) this.#add(value, number)
    else for (const one of value) this.#add(one as JsonValue, ~number)
  }

  /** The values of a composite key; where a field is a list, each of its elements with the values of the others. */
  #takeSeveral(event: Event, number: number): void {
    let isList = false
    let keys: readonly (readonly JsonValue[])[] = [[]]
    for (const field of this.#join.fields) {
      const value = this.#select(event, number, field)
      if (value === undefined || value === null) return
      isList ||= Array.isArray(value)
      const parts = [value].flat() as JsonValue[]
      if (keys.length * parts.length > MAX_COMBINATIONS) this.#cut(number)
      keys = [...combinations(keys, parts)]
    }
    for (const values of keys) {
      const texts = values.map(keyText)
      if (!texts.includes(undefined)) this.#push(joinKey(texts as string[]), values, isList ? ~number : number)
    }
  }

  /** Not all combinations are looked up, which the event says whether or not one of them matches. */
  #cut(number: number): void {
    const enrichment = this.#enrichmentOf(number)
    for (const table of this.#join.tables) enrichment.cut(`${table.name}.${this.#join.name}`)
  }

  #enrichmentOf(number: number): Enrichment {
    const enrichment = this.#found.get(number) ?? new Enrichment()
    this.#found.set(number, enrichment)
    return enrichment
  }

  #select(event: Event, number: number, field: Field): JsonValue | undefined {
    return field.chain ? this.#found.get(number)?.read(field.chain) : fieldValue(event, field)
  }

  #add(value: JsonValue, event: number): void {
    const text = keyText(value)
    if (text !== undefined) this.#push(text, value, event)
  }

  #push(text: string, value: JsonValue, event: number): void {
    this.#texts.push(text)
    this.#values.push(value)
    if (this.#events.push(event) === AT_ONCE) this.finish()
  }

  /** Looks up the values collected so far. */
  finish(): void {
    const { tables, hasAddresses, misses } = this.#join
    const texts = this.#texts
    if (hasAddresses) addresses.read(texts)
    for (const [number, table] of tables.entries()) {
      if (table.hasAddresses) table.findAll(addresses, rows, this.#atMs)
      else for (let i = 0; i < texts.length; i++) rows[i] = table.find(texts[i]!, this.#atMs)
      for (let i = 0; i < texts.length; i++) if (rows[i]! >= 0) this.#match(table, rows[i]!, i)
      if (table.hasAddresses && !this.#isPast) misses[number]?.(addresses, rows)
    }
    texts.length = 0
    this.#values.length = 0
    this.#events.length = 0
  }

  #match(table: Table, row: number, at: number): void {
    const event = this.#events[at]!
    const isList = event < 0
    const number = isList ? ~event : event
    const enrichment = this.#enrichmentOf(number)
    const { name } = this.#join
    if (isList && table.binding.byValue && name.startsWith('p_any_'))
      enrichment.setValue(table, this.#texts[at]!, table.row(row), this.#values[at]!)
    else if (isList || table.isList) enrichment.add(table, name, table.list(row, this.#atMs), this.#values[at]!, this.#texts[at]!)
    else enrichment.set(table, name, table.row(row), this.#values[at]!)
  }
}

/** The content of `p_enrichment`, collected from the first match on. */
class Enrichment {
  readonly #tables = new Map<string, JsonObject>()
  readonly #indicators = new Map<string, string[]>()
  /** The matched keys of each list, by table and selector. */
  readonly #seen = new Map<string, Set<string>>()
  readonly #truncated: string[] = []

  /** Adds the match of a field with one value. */
  set(table: Table, selector: string, row: TableRow, value: JsonValue): void {
    this.#under(table)[selector] = this.#copy(table, row, value)
  }

  /** Adds the match of an element of `p_any_…` under the element itself. */
  setValue(table: Table, text: string, row: TableRow, value: JsonValue): void {
    const under = this.#under(table)
    if (text === '__proto__' || Object.hasOwn(under, text)) return
    if (Object.keys(under).length < MAX_LIST) under[text] = this.#copy(table, row, value)
    else this.cut(table.name)
  }

  /** Rows of this table, or of one of its selectors, are missing. */
  cut(place: string): void {
    if (!this.#truncated.includes(place)) this.#truncated.push(place)
  }

  /** Adds a match of a field that is a list, or of a key that may have several rows; each key once. */
  add(table: Table, selector: string, rows: readonly TableRow[], value: JsonValue, key: string): void {
    const place = `${table.name}.${selector}`
    const seen = this.#seen.get(place) ?? new Set()
    this.#seen.set(place, seen)
    if (seen.has(key) || seen.size > MAX_LIST) return
    seen.add(key)
    const under = this.#under(table)
    if (!Object.hasOwn(under, selector)) under[selector] = []
    const list = under[selector] as JsonValue[]
    for (const row of rows) {
      if (list.length === MAX_LIST) {
        this.cut(place)
        return
      }
      list.push(this.#copy(table, row, value))
    }
  }

  /** What a chained selector reads: a list if the rows are one. */
  read({ table, selector, path }: Chain): JsonValue | undefined {
    const under = this.#tables.get(table) ?? {}
    return Object.hasOwn(under, selector) ? valueAt(under[selector], path, 0) : undefined
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

  #copy(table: Table, { values, indicators, version }: TableRow, value: JsonValue): JsonObject {
    for (const [field, texts] of Object.entries(indicators)) {
      const list = this.#indicators.get(field) ?? []
      for (const one of texts) if (!list.includes(one)) list.push(one)
      this.#indicators.set(field, list)
    }
    // Spread copies own properties as data, even a key `__proto__`.
    return { ...values, p_match: value, p_version: version ?? table.version }
  }
}

/** Each of the keys so far with each of the next parts, as many as are looked up: lists in an event may be long. */
function* combinations(keys: readonly (readonly JsonValue[])[], parts: readonly JsonValue[]): Generator<readonly JsonValue[]> {
  let left = MAX_COMBINATIONS
  for (const before of keys)
    for (const part of parts) {
      if (left-- === 0) return
      yield [...before, part]
    }
}
