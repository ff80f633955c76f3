import { inParts, type Slice } from '../../../util/slice.ts'
import { type Entries, lengthOf, rowOf, UNCHECKED } from './entries.ts'
import { type Ipv6Filter, Ipv6Hash } from './ipv6-filter.ts'
import { sharedInt32, sharedUint32 } from './shared.ts'

/** The parts of an index of IPv6 networks; arrays in shared memory. */
export interface Ipv6Parts {
  readonly filter: Ipv6Filter
  /** Five words each: start of an entry, its value (`Entries`). The first starts at `::`. */
  readonly entries: Uint32Array
  /**
   * A tree over all starts except the first. A node contains: the number of leading bits that its starts have in common, the number of
   * bits after these that select a branch, its first start and the one after its last; then for each branch its first start and its
   * node (0 if its few starts are compared one by one); then the start after the last.
   */
  readonly tree: Int32Array
}

const STRIDE = 5
/** Maximum number of starts that are not worth a separate node. */
const FEW = 6
/** A node has a quarter as many branches as starts, and at most 2^16. */
const MAX_BITS = 16
const HEAD = 4

/** IPv6 networks. A filter answers most misses; the tree skips common bits, and each node reads as many bits at once as its starts need. */
export class Ipv6Index {
  readonly parts: Ipv6Parts
  readonly #filter: Uint32Array
  /** Absent: every address passes the filter. */
  readonly #hash: Ipv6Hash | undefined
  readonly #entries: Uint32Array
  readonly #tree: Int32Array

  constructor(parts: Ipv6Parts) {
    this.parts = parts
    this.#filter = parts.filter.bits
    this.#hash = parts.filter.length > 0 ? new Ipv6Hash(parts.filter) : undefined
    this.#entries = parts.entries
    this.#tree = parts.tree
  }

  /** The row for the address in `words[at..at+3]`, -1 for none. */
  find(words: Uint32Array, at: number): number {
    if (this.#hash) {
      const bit = this.#hash.of(words, at)
      if (((this.#filter[bit >>> 5]! >>> (bit & 31)) & 1) === 0) return -1
    }
    const entry = this.#last(words, at) * STRIDE
    const entries = this.#entries
    const value = entries[entry + 4]!
    const length = lengthOf(value)
    return length === UNCHECKED || comparePrefix(words, at, entries, entry, length) === 0 ? rowOf(value) : -1
  }

  /** The last entry that starts at or before the address. */
  #last(words: Uint32Array, at: number): number {
    const tree = this.#tree
    if (tree.length === 0) return 0
    for (let node = 0; ; ) {
      const prefix = tree[node]!
      const bits = tree[node + 1]!
      const first = tree[node + 2]!
      const order = comparePrefix(words, at, this.#entries, first * STRIDE, prefix)
      if (order !== 0) return (order < 0 ? first : tree[node + 3]!) - 1
      const branch = node + HEAD + bitsAt(words, at, prefix, bits) * 2
      const child = tree[branch + 1]!
      if (child === 0) return this.#compareEach(words, at, tree[branch]!, tree[branch + 2]!)
      node = child
    }
  }

  #compareEach(words: Uint32Array, at: number, from: number, to: number): number {
    let entry = from
    while (entry < to && comparePrefix(this.#entries, entry * STRIDE, words, at, 128) <= 0) entry++
    return entry - 1
  }
}

/** Builds the parts from entries. */
export async function ipv6Parts(filter: Ipv6Filter, { starts, values, size }: Entries, slice: Slice): Promise<Ipv6Parts> {
  const entries = sharedUint32(size * STRIDE)
  await inParts(size, slice, (from, to) => {
    for (let i = from; i < to; i++) {
      for (let word = 0; word < 4; word++) entries[i * STRIDE + word] = starts[i * 4 + word]!
      entries[i * STRIDE + 4] = values[i]!
    }
  })
  const nodes = await treeOf(starts, size, slice)
  const tree = sharedInt32(nodes.length)
  tree.set(nodes)
  return { filter, entries, tree }
}

/** Starts that need a node, and where to write its position. */
interface Waiting {
  readonly first: number
  readonly end: number
  readonly at: number
}

/** The tree over all starts except the first; all are distinct. */
async function treeOf(starts: Uint32Array, size: number, slice: Slice): Promise<number[]> {
  const tree: number[] = []
  const waiting: Waiting[] = size > 1 ? [{ first: 1, end: size, at: -1 }] : []
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (next.at >= 0) tree[next.at] = tree.length
    await addNode(tree, starts, next, waiting, slice)
  }
  return tree
}

/** Adds a node for at least one start; branches that need a node are queued. */
async function addNode(
  tree: number[],
  starts: Uint32Array,
  { first, end }: Waiting,
  waiting: Waiting[],
  slice: Slice,
): Promise<void> {
  const node = tree.length
  const prefix = first + 1 === end ? 127 : commonBits(starts, first * 4, (end - 1) * 4)
  const bits = Math.min(MAX_BITS, 128 - prefix, Math.max(1, Math.ceil(Math.log2(end - first)) - 2))
  tree.push(prefix, bits, first, end)
  let start = first
  await inParts(1 << bits, slice, (from, to) => {
    for (let branch = from; branch < to; branch++) {
      while (start < end && bitsAt(starts, start * 4, prefix, bits) < branch) start++
      tree.push(start, 0)
    }
  })
  tree.push(end)
  // Last in, first out.
  for (let branch = (1 << bits) - 1; branch >= 0; branch--) {
    const at = node + HEAD + branch * 2
    if (tree[at + 2]! - tree[at]! > FEW) waiting.push({ first: tree[at]!, end: tree[at + 2]!, at: at + 1 })
  }
}

/** The value of the `bits` bits (at most 16) after the first `prefix` bits. */
function bitsAt(words: Uint32Array, at: number, prefix: number, bits: number): number {
  const word = at + (prefix >>> 5)
  const offset = prefix & 31
  let value = words[word]! << offset
  if (offset + bits > 32) value |= words[word + 1]! >>> (32 - offset)
  return value >>> (32 - bits)
}

/** Number of leading bits that two different addresses have in common. */
function commonBits(starts: Uint32Array, a: number, b: number): number {
  let word = 0
  while (starts[a + word] === starts[b + word]) word++
  return word * 32 + Math.clz32(starts[a + word]! ^ starts[b + word]!)
}

/** Compares the first `bits` bits: below, above or 0. */
function comparePrefix(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number, bits: number): number {
  let word = 0
  for (let left = bits; left > 0; left -= 32, word++) {
    const shift = left >= 32 ? 0 : 32 - left
    const difference = (a[aAt + word]! >>> shift) - (b[bAt + word]! >>> shift)
    if (difference !== 0) return difference
  }
  return 0
}
