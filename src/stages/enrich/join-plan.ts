import { type LogTypeShape, selectorsFor } from './associations.ts'
import { type Chain, resolveChain } from './chains.ts'
import type { NoteMisses } from './live/missed-addresses.ts'
import { parseSelector, type Selector, type SelectorText, selectorFields, selectorName } from './selector.ts'
import type { Table } from './table.ts'

/** A field of events, with where another table's rows have it if it is not in the event itself. */
export interface Field extends Selector {
  readonly chain?: Chain | undefined
}

/** A field of an event, or several, and the tables in which the value is looked up. */
export interface Join {
  /** The name under `p_enrichment.<table>`. */
  readonly name: string
  /** One, or one for each part of a composite key. */
  readonly fields: readonly Field[]
  /** A top-level field whose name no object inherits: the fast case. */
  readonly isPlain: boolean
  readonly tables: readonly Table[]
  /** Some of the tables have addresses as keys: the value is parsed once for all of them. */
  readonly hasAddresses: boolean
  /** For each table, what is called with the addresses that it lacks. */
  readonly misses: readonly (NoteMisses | undefined)[]
}

/** Called with addresses that a table lacks; `undefined` for a table that is not live. */
export type MissesOf = (table: Table) => NoteMisses | undefined

/** The lookups for events of a log type: each field once, with all tables that are joined on it; those that others read come first. */
export function planFor(logType: LogTypeShape, tables: readonly Table[], missesOf: MissesOf): Join[] {
  const selectors = new Map(tables.map(({ name, binding }) => [name, selectorsFor(binding, logType)]))
  const names = new Map([...selectors].map(([table, own]) => [table, new Set(own.map(selectorName))]))
  const byName = new Map<string, { name: string; fields: readonly Field[]; tables: Table[] }>()
  for (const table of tables) {
    for (const text of selectors.get(table.name)!) {
      const name = selectorName(text)
      const fields = byName.get(name)?.fields ?? fieldsOf(text, (source) => names.get(source))
      // Reads what nothing adds to events of this log type, or not now.
      if (fields === undefined) continue
      const join = byName.get(name) ?? { name, fields, tables: [] }
      join.tables.push(table)
      byName.set(name, join)
    }
  }
  const joins = [...byName.values()].map((join) => ({
    ...join,
    isPlain: isPlain(join.fields),
    hasAddresses: join.tables.some((table) => table.hasAddresses),
    misses: join.tables.map(missesOf),
  }))
  // The name of a chain contains those of the chains it depends on, so this ends.
  const depthOf = (name: string): number => {
    const sources = byName.get(name)?.fields.flatMap(({ chain }) => chain?.selector ?? []) ?? []
    return sources.reduce((depth, source) => Math.max(depth, depthOf(source) + 1), 0)
  }
  return joins
    .map((join) => ({ join, depth: depthOf(join.name) }))
    .sort((a, b) => a.depth - b.depth)
    .map(({ join }) => join)
}

/** `undefined` if one of the fields is in rows that no table adds. */
function fieldsOf(text: SelectorText, selectorsOf: (table: string) => ReadonlySet<string> | undefined): Field[] | undefined {
  const fields: Field[] = []
  for (const field of selectorFields(text)) {
    const selector = parseSelector(field)
    const [first, ...steps] = selector.path
    const chain = first === 'p_enrichment' ? resolveChain(steps, selectorsOf) : undefined
    if (typeof chain === 'string') return undefined
    fields.push({ ...selector, chain })
  }
  return fields
}

function isPlain([field, ...others]: readonly Field[]): boolean {
  const { name, path, chain } = field!
  return others.length === 0 && chain === undefined && path.length === 1 && path[0] === name && !(name in {})
}
