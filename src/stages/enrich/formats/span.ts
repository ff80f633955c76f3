import { addressNumber, type IpRange, networksOf, rangeOf, widthOf } from '../../../model/ip-range.ts'
import type { JsonObject, JsonValue } from '../../../model/json.ts'

/** Columns with the last address of a range that begins with the key. */
const END_NAMES = ['end', 'end_ip', 'ip_end', 'endip', 'end_address', 'last_ip', 'last_address', 'range_end']

/** Columns with the key's prefix length or mask. */
const PREFIX_NAMES = [
  'prefix',
  'prefix_length',
  'prefixlen',
  'prefix_len',
  'netblock',
  'netmask',
  'mask',
  'masklen',
  'cidr',
  'bits',
]

/** `192.0.2.0/24`, or `192.0.2.1-192.0.2.9` if the range is not a single network. */
export function spanKey(first: string, last: string, range: IpRange): string {
  if (range.first === range.last) return first
  const [network, ...others] = networksOf(range)
  return others.length === 0 ? `${first}/${network!.bits}` : `${first}-${last}`
}

/** True if the range between the two is exactly one network. */
export function isNetwork(range: IpRange): boolean {
  return range.first < range.last && networksOf(range).length === 1
}

/**
 * A prefix length that is separate from its address, as a number or as a mask (`255.255.255.0`). `undefined` if it is
 * neither, or if the address is not the first of such a network: then the number means something else.
 */
export function prefixBits(address: string, column: string): number | undefined {
  const start = addressNumber(address)
  if (!start) return undefined
  const width = widthOf(start.family)
  const bits = /^\/?\d{1,3}$/.test(column) ? Number(column.replace('/', '')) : maskBits(column)
  if (bits === undefined || bits < 1 || bits > width) return undefined
  return start.value % (1n << BigInt(width - bits)) === 0n ? bits : undefined
}

function maskBits(text: string): number | undefined {
  const mask = addressNumber(text)
  if (mask?.family !== 4) return undefined
  const rest = 0xffff_ffffn - mask.value
  return mask.value >= 0x8000_0000n && (rest & (rest + 1n)) === 0n ? 32 - rest.toString(2).replace(/^0$/, '').length : undefined
}

/**
 * The key of a row with named columns, if another column turns it into a range or a network. A sentence if the two do not
 * fit together: half a range would be misleading.
 */
export function keyOfColumns(row: JsonObject, primaryKey: string): { readonly key: string } | string | undefined {
  const key = row[primaryKey]
  if (typeof key !== 'string' || !addressNumber(key)) return undefined
  const end = columnOf(row, END_NAMES, primaryKey)
  if (typeof end === 'string' && addressNumber(end)) {
    const range = rangeOf(key, end)
    return range ? { key: spanKey(key, end, range) } : `a row's range ends (${end}) before it begins (${key})`
  }
  const prefix = columnOf(row, PREFIX_NAMES, primaryKey)
  const bits = prefix === undefined || prefix === null || typeof prefix === 'object' ? undefined : prefixBits(key, String(prefix))
  return bits === undefined ? undefined : { key: `${key}/${bits}` }
}

function columnOf(row: JsonObject, names: readonly string[], primaryKey: string): JsonValue | undefined {
  for (const name of names) if (name !== primaryKey && Object.hasOwn(row, name)) return row[name]
  return undefined
}
