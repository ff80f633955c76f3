import { parsePrefix } from '../../../model/ip.ts'
import type { JsonObject, JsonValue } from '../../../model/json.ts'

/** Properties of a test database. */
export interface MmdbOptions {
  readonly recordBits?: 24 | 28 | 32
  readonly ipVersion?: 4 | 6
  readonly metadata?: JsonObject
}

/** A node: each side points to another node or to an offset in the data. */
type Node = [Node | number | undefined, Node | number | undefined]

/** Writes a MaxMind DB. The longest of overlapping networks wins, as in MaxMind's own writer. */
export function writeMmdb(
  networks: readonly (readonly [network: string, value: JsonValue])[],
  options: MmdbOptions = {},
): Buffer {
  const { recordBits = 24, ipVersion = 6, metadata = {} } = options
  const data: number[] = []
  const root: Node = [undefined, undefined]
  const parsed = networks.map(([network, value]) => ({ bits: bitsOf(network, ipVersion), value }))
  for (const { bits, value } of parsed.sort((a, b) => a.bits.length - b.bits.length)) {
    const offset = data.length
    data.push(...encode(value))
    insert(root, bits, offset)
  }
  const nodes: Node[] = []
  const numbers = new Map<Node, number>()
  const number = (node: Node) => {
    numbers.set(node, nodes.push(node) - 1)
    for (const child of node) if (Array.isArray(child)) number(child)
  }
  number(root)
  const record = (child: Node[0]) =>
    child === undefined ? nodes.length : typeof child === 'number' ? nodes.length + 16 + child : numbers.get(child)!
  const tree = nodes.flatMap(([left, right]) => pair(record(left), record(right), recordBits))
  const about = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_710_201_600,
    database_type: 'Test',
    description: { en: 'A test' },
    ip_version: ipVersion,
    languages: ['en'],
    node_count: nodes.length,
    record_size: recordBits,
    ...metadata,
  })
  const marker = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1')
  return Buffer.concat([Buffer.from(tree), Buffer.alloc(16), Buffer.from(data), marker, Buffer.from(about)])
}

function bitsOf(network: string, ipVersion: 4 | 6): number[] {
  const { family, bits, words } = parsePrefix(network)!
  const own = Array.from({ length: bits }, (_, i) => (words[i >>> 5]! >>> (31 - (i & 31))) & 1)
  return family === 4 && ipVersion === 6 ? [...Array<number>(96).fill(0), ...own] : own
}

function insert(root: Node, bits: readonly number[], offset: number): void {
  let node = root
  for (const bit of bits.slice(0, -1)) {
    const child = node[bit as 0 | 1]
    const next: Node = Array.isArray(child) ? child : [child, child]
    node[bit as 0 | 1] = next
    node = next
  }
  node[bits.at(-1) as 0 | 1] = offset
}

function pair(left: number, right: number, bits: 24 | 28 | 32): number[] {
  const low = (value: number, length: number) => bytesOf(BigInt(value), length)
  if (bits === 24) return [...low(left, 3), ...low(right, 3)]
  if (bits === 32) return [...low(left, 4), ...low(right, 4)]
  return [...low(left % 2 ** 24, 3), ((left >>> 24) << 4) | (right >>> 24), ...low(right % 2 ** 24, 3)]
}

function bytesOf(value: bigint, length: number): number[] {
  return Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 0xffn))
}

/** A value of the data section, without pointers. */
export function encode(value: JsonValue): number[] {
  if (typeof value === 'string') {
    const bytes = [...Buffer.from(value)]
    return [...control(2, bytes.length), ...bytes]
  }
  if (typeof value === 'boolean') return control(14, value ? 1 : 0)
  if (typeof value === 'bigint') return [...control(9, 8), ...bytesOf(value, 8)]
  if (typeof value === 'number') {
    if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return [...control(6, 4), ...bytesOf(BigInt(value), 4)]
    const double = Buffer.alloc(8)
    double.writeDoubleBE(value)
    return [...control(3, 8), ...double]
  }
  if (Array.isArray(value)) return [...control(11, value.length), ...value.flatMap((one) => encode(one as JsonValue))]
  const entries = Object.entries(value as JsonObject)
  return [...control(7, entries.length), ...entries.flatMap(([key, one]) => [...encode(key), ...encode(one!)])]
}

function control(kind: number, size: number): number[] {
  const [low, more] =
    size < 29
      ? [size, []]
      : size < 285
        ? [29, [size - 29]]
        : size < 65_821
          ? [30, bytesOf(BigInt(size - 285), 2)]
          : [31, bytesOf(BigInt(size - 65_821), 3)]
  return kind > 7 ? [low, kind - 7, ...more] : [(kind << 5) | low, ...more]
}
