import type { IndicatorField } from '../../model/event.ts'
import { addressRange, textsOf } from '../../model/ip-text.ts'
import type { Table } from '../../stages/enrich/table.ts'
import { quoteText } from '../../stages/store/ddl.ts'
import { among } from '../rejudge/sql.ts'

/** Texts in one condition: a query may have at most 256 KiB. */
const TEXTS_AT_ONCE = 2000
const CHARS_AT_ONCE = 150_000
/** Beginnings of texts are compared one by one. */
const PREFIXES_AT_ONCE = 200

/** The indicator that a table's keys are found under; `undefined` if the index has none of the kind. */
export function fieldOf({ binding, match }: Pick<Table, 'binding' | 'match'>): IndicatorField | undefined {
  if (match === 'glob' || match === 'port' || match === 'composite') return undefined
  if (binding.automatic !== undefined) return binding.automatic as IndicatorField
  if (match === 'ip' || match === 'cidr') return 'p_any_ip_addresses'
  return match === 'domain' ? 'p_any_domain_names' : undefined
}

/**
 * SQL conditions on the index's `value` that together find every value that one of the keys matches; some may find others too. Sorted, so
 * that each reads its own part of the index.
 */
export function conditionsFor(keys: readonly string[], match: Table['match'], field: IndicatorField): string[] {
  if (match === 'domain') {
    const texts = keys.map((key) => key.replace(/^\*?\./, '').toLowerCase())
    return inParts(texts, TEXTS_AT_ONCE).map((part) => `arrayExists(name -> ${among('name', part)}, ${SUFFIXES})`)
  }
  if (field === 'p_any_ip_addresses') {
    const all = keys.flatMap((key) => addressRange(key) ?? []).map(textsOf)
    const exact = all.flatMap((texts) => texts.exact)
    const prefixes = all.flatMap((texts) => texts.prefixes)
    return [
      ...inParts(exact, TEXTS_AT_ONCE).map((part) => among('value', part)),
      ...inParts(prefixes, PREFIXES_AT_ONCE).map(
        (part) => `(${part.map((text) => `startsWith(value, ${quoteText(text)})`).join(' OR ')})`,
      ),
    ]
  }
  // The index holds hashes in lower case, and other texts as events spell them.
  const isHash = field.endsWith('_hashes')
  const texts = match === 'ignore_case' ? keys.map((key) => key.toLowerCase()) : keys
  const column = match === 'ignore_case' && !isHash ? 'lower(value)' : 'value'
  return inParts(texts, TEXTS_AT_ONCE).map((part) => among(column, part))
}

/** The name itself and those above it. */
const SUFFIXES =
  "arrayMap(i -> arrayStringConcat(arraySlice(splitByChar('.', lower(value)), i), '.'), range(1, length(splitByChar('.', value)) + 1))"

function inParts(texts: readonly string[], most: number): string[][] {
  const parts: string[][] = []
  let chars = Number.POSITIVE_INFINITY
  for (const text of [...new Set(texts)].sort()) {
    chars += text.length + 4
    if (chars > CHARS_AT_ONCE || parts.at(-1)!.length >= most) {
      parts.push([])
      chars = text.length
    }
    parts.at(-1)!.push(text)
  }
  return parts
}
