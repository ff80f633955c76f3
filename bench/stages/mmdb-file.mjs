// Writes a MaxMind DB of IPv4 networks of length 24, for the yardstick `maxmind`. Each network's record is `{ n: its number }`.

const STRING = 2
const UINT32 = 6
const MAP = 7
/** Types from 8 on are written as an extended type. */
const UINT64 = 9
const ARRAY = 11

function control(type, size) {
  return type < 8 ? [(type << 5) | size] : [size, type - 7]
}

function encode(value) {
  if (typeof value === 'string') return [...control(STRING, Buffer.byteLength(value)), ...Buffer.from(value)]
  if (typeof value === 'bigint') return [...control(UINT64, 8), ...Buffer.from(new BigUint64Array([value]).buffer).reverse()]
  if (typeof value === 'number')
    return [...control(UINT32, 4), value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
  if (Array.isArray(value)) return [...control(ARRAY, value.length), ...value.flatMap(encode)]
  const entries = Object.entries(value)
  return [...control(MAP, entries.length), ...entries.flatMap(([key, one]) => [...encode(key), ...encode(one)])]
}

/** The file for networks `a.b.c.0/24`. */
export function mmdbOf(networks) {
  // Each node is two records: the number of a node + 1, or ~number of a network; 0 is nothing.
  const left = [0]
  const right = [0]
  for (const [number, text] of networks.entries()) {
    const [a, b, c] = text.split('.').map(Number)
    const bits = (a << 16) | (b << 8) | c
    let node = 0
    for (let bit = 23; bit >= 0; bit--) {
      const side = (bits >>> bit) & 1 ? right : left
      if (bit === 0) side[node] = ~number
      else {
        if (side[node] === 0) {
          side[node] = left.push(0)
          right.push(0)
        }
        node = side[node] - 1
      }
    }
  }
  const nodes = left.length
  const size = encode({ n: 0 }).length
  const tree = Buffer.alloc(nodes * 8)
  const record = (value) => (value === 0 ? nodes : value > 0 ? value - 1 : nodes + 16 + ~value * size)
  for (let node = 0; node < nodes; node++) {
    tree.writeUInt32BE(record(left[node]), node * 8)
    tree.writeUInt32BE(record(right[node]), node * 8 + 4)
  }
  const data = Buffer.concat(networks.map((_, n) => Buffer.from(encode({ n }))))
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_700_000_000n,
    database_type: 'Bench',
    description: {},
    ip_version: 4,
    languages: [],
    node_count: nodes,
    record_size: 32,
  })
  return Buffer.concat([tree, Buffer.alloc(16), data, Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'), Buffer.from(metadata)])
}
