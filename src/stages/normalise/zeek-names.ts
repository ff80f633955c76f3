import { isObject, type JsonObject } from '../../model/json.ts'
import { setOwn } from '../../util/json.ts'
import type { FieldSpec } from './document.ts'

/**
 * Zeek logs spell the same field in several ways: `id.orig_h` (its own logs), `id_orig_h` (with `Log::default_scope_sep`),
 * `id: {orig_h}` (shippers that unfold dots). Events have `id_orig_h`.
 */

/** Aliases: Corelight's JSON streaming writes `@stream`, Zeek's field extension `_stream`. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  _path: ['@stream', '_stream'],
  _system_name: ['@system'],
  _proc: ['@proc'],
}

const text = {
  type: 'string',
  timeFormats: [],
  timeZone: undefined,
  isEmbedded: false,
  indicators: [],
  validate: undefined,
  marker: undefined,
  element: undefined,
  fields: [],
  required: false,
  isEventTime: false,
  from: undefined,
} as const

/** Fields that loggers and shippers add to every Zeek log; each Zeek schema has them without listing them. */
export const ZEEK_COMMON_FIELDS: readonly FieldSpec[] = [
  { ...text, name: '_path' },
  { ...text, name: '_write_ts', type: 'timestamp', timeFormats: ['unix', 'rfc3339', 'unix_ms'] },
  { ...text, name: '_system_name' },
  { ...text, name: '_node_name' },
  { ...text, name: '_proc' },
]

/** Every spelling of a field, the event's first. */
export function zeekSpellings(name: string): string[] {
  const spellings = [name]
  for (let at = name.indexOf('_', 1); at > 0; at = name.indexOf('_', at + 1)) {
    const [head, tail] = [name.slice(0, at), name.slice(at + 1)]
    spellings.push(`${head}.${tail}`)
    // Nested records: `flow_mod.actions.out_ports`. Zeek's own logs are not nested deeper.
    for (let next = tail.indexOf('_'); next >= 0; next = tail.indexOf('_', next + 1)) {
      spellings.push(`${head}.${tail.slice(0, next)}.${tail.slice(next + 1)}`)
    }
  }
  return [...spellings, ...(Object.hasOwn(SYNONYMS, name) ? SYNONYMS[name]! : [])]
}

/** The event's spelling of a field that is not in the schema. */
export function zeekName(key: string): string {
  return key.includes('.') ? key.replaceAll('.', '_') : key
}

/** Keys under which a shipper may have put several fields: `id`, `certificate`, `version` … */
export function zeekPrefixes(names: readonly string[]): ReadonlySet<string> {
  const prefixes = new Set<string>()
  for (const name of names) {
    for (let at = name.indexOf('_', 1); at > 0; at = name.indexOf('_', at + 1)) prefixes.add(name.slice(0, at))
  }
  return prefixes
}

/** The record with objects under those keys flattened to `key.member`; the record itself if there are none. */
export function unfoldZeek(raw: JsonObject, prefixes: ReadonlySet<string>): JsonObject {
  if (!Object.keys(raw).some((key) => prefixes.has(key) && isObject(raw[key]))) return raw
  const flat: JsonObject = {}
  for (const key of Object.keys(raw)) {
    const value = raw[key]
    if (prefixes.has(key) && isObject(value)) {
      for (const member of Object.keys(value)) setOwn(flat, `${key}.${member}`, value[member]!)
    } else setOwn(flat, key, value!)
  }
  return flat
}
