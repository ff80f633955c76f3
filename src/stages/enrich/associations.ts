import type { CompiledSchema } from '../../model/schema.ts'
import { parseSelector, type SelectorText, selectorFields, selectorName } from './selector.ts'

/** Fields on which a table is joined, for one log type or for all that match a pattern. */
export interface Association {
  /** `Zeek.Conn`, or a pattern in which `*` matches any characters: `Zeek.*`. */
  readonly logType: string
  /** As written: `id_orig_h`, `a.b`, `$.a.b`, `[id_orig_h, id_orig_p]`. */
  readonly selectors: readonly SelectorText[]
  /** The YAML file that contains it: the table's or an extension's. */
  readonly file: string
}

/** The fields and log types that a table is joined on. */
export interface Binding {
  /** From the table's own definition. */
  readonly associations: readonly Association[]
  /** From its extensions, in addition to those of the definition and to automatic joins. */
  readonly added: readonly Association[]
  /** Selector for log types for which the table names no field (`p_any_ip_addresses` …), if it has one. */
  readonly automatic: string | undefined
  /** Rows that are found by an element of a `p_any_…` field are stored under that element instead of in a list. */
  readonly byValue?: boolean
}

/** The properties of a log type that a binding needs. */
export type LogTypeShape = Pick<CompiledSchema, 'name' | 'columns' | 'isDescribed'>

/** The selectors that join a table to events of a log type, without duplicates, in the order in which they are written. */
export function selectorsFor({ associations, added, automatic }: Binding, logType: LogTypeShape): SelectorText[] {
  const own = selectorsOf(associations, logType)
  const basic = own.length > 0 || automatic === undefined ? own : [automatic]
  const all = [...basic, ...selectorsOf(added, logType)]
  return [...new Map(all.map((selector) => [selectorName(selector), selector])).values()]
}

/** A pattern does not apply to a log type that lacks its fields: Zeek has logs without an address. */
function selectorsOf(associations: readonly Association[], logType: LogTypeShape): SelectorText[] {
  return associations
    .filter((association) => fits(association.logType, logType.name))
    .flatMap(({ logType: named, selectors }) => (isPattern(named) ? selectors.filter((one) => has(logType, one)) : selectors))
}

/** True if events of the log type may have each field of the selector, or the first step of its path. */
export function has({ columns, isDescribed }: LogTypeShape, selector: SelectorText): boolean {
  if (!isDescribed) return true
  return selectorFields(selector).every((field) => {
    const { name, path } = parseSelector(field)
    return columns.some((column) => column.name === path[0] || column.name === name)
  })
}

/** True for `Zeek.*`, false for the name of a log type. */
export function isPattern(logType: string): boolean {
  return logType.includes('*')
}

/** True if the log type has the name or matches the pattern, in which `*` matches any number of characters. */
export function fits(pattern: string, name: string): boolean {
  const parts = pattern.split('*')
  const first = parts[0]!
  if (parts.length === 1) return name === pattern
  const last = parts.at(-1)!
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false
  const end = name.length - last.length
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at)
    if (found < 0 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}
