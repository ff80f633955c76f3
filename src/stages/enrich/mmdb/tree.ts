import type { Slice } from '../../../util/slice.ts'
import { damaged } from './decoder.ts'
import type { Metadata } from './metadata.ts'

/** Number of leading bits of an IPv4 address that the jump table covers. */
const JUMP_BITS = 16
const STEPS_A_SLICE = 4096

/** The search tree of a MaxMind DB, read in place. */
export class Tree {
  readonly #bytes: Uint8Array
  readonly #metadata: Metadata
  readonly #nodeBytes: number
  /** Jump table: the record for each value of the leading bits of an IPv4 address. */
  readonly #jumps = new Uint32Array(1 << JUMP_BITS)

  constructor(bytes: Uint8Array, metadata: Metadata) {
    this.#bytes = bytes
    this.#metadata = metadata
    this.#nodeBytes = metadata.recordBits / 4
    // In an IPv6 tree, IPv4 addresses are below 96 zero bits.
    let root = 0
    for (let i = 0; metadata.ipVersion === 6 && i < 96 && root < metadata.nodeCount; i++) root = this.#child(root, 0)
    for (let prefix = 0; prefix < this.#jumps.length; prefix++)
      this.#jumps[prefix] = this.#walk(root, JUMP_BITS, (bit) => (prefix >>> (JUMP_BITS - 1 - bit)) & 1)
  }

  /** The offset of an IPv4 address's data, -1 for none. */
  findIpv4(address: number): number {
    const { nodeCount } = this.#metadata
    let node = this.#jumps[address >>> (32 - JUMP_BITS)]!
    for (let bit = 31 - JUMP_BITS; bit >= 0 && node < nodeCount; bit--) node = this.#child(node, (address >>> bit) & 1)
    return this.#offsetOf(node)
  }

  /** The same for an IPv6 address, as four words. */
  findIpv6(words: Uint32Array, at: number): number {
    if (this.#metadata.ipVersion === 4) return -1
    return this.#offsetOf(this.#walk(0, 128, (bit) => (words[at + (bit >>> 5)]! >>> (31 - (bit & 31))) & 1))
  }

  /**
   * Checks that every record points to a node, to data or nowhere, that every node is reachable, and that no path through the tree is
   * longer than an address. Returns the distinct data offsets and the number of networks with data; aliases of IPv4 networks within IPv6
   * are not counted again.
   */
  async check(slice: Slice): Promise<{ readonly offsets: ReadonlySet<number>; readonly networks: number }> {
    const { nodeCount, ipVersion } = this.#metadata
    const offsets = new Set<number>()
    let networks = 0
    let nodes = Math.min(nodeCount, 1)
    const seen = new Uint8Array(nodeCount)
    // Nodes on the path down, each with the side to visit next.
    const way = nodeCount > 0 ? [0] : []
    const sides = [0]
    const depthLimit = ipVersion === 4 ? 32 : 128
    for (let step = 1; way.length > 0; step++) {
      if (step % STEPS_A_SLICE === 0) await slice()
      const node = way.at(-1)!
      const side = sides.at(-1)!
      if (side === 2) {
        seen[node] = DONE
        way.pop()
        sides.pop()
        continue
      }
      sides[sides.length - 1] = side + 1
      seen[node] = ON_THE_WAY
      const child = this.#child(node, side)
      if (child < nodeCount) {
        if (seen[child] === ON_THE_WAY) throw damaged('its tree leads in a circle')
        if (seen[child] === DONE) continue
        if (way.length >= depthLimit) throw damaged('its tree is deeper than an address has bits')
        nodes++
        way.push(child)
        sides.push(0)
      } else if (child > nodeCount) {
        networks++
        offsets.add(this.#offsetOf(child))
      }
    }
    if (nodes < nodeCount) throw damaged(`no way leads to ${nodeCount - nodes} nodes of its tree`)
    return { offsets, networks }
  }

  /** Every network with data, in order, and the offset of its data; aliases of IPv4 networks within IPv6 are left out. */
  *networks(): Generator<{ readonly network: string; readonly offset: number }> {
    const { nodeCount, ipVersion } = this.#metadata
    const seen = new Uint8Array(nodeCount)
    const words = new Uint32Array(4)
    const way = nodeCount > 0 ? [0] : []
    const sides = [0]
    while (way.length > 0) {
      const node = way.at(-1)!
      const side = sides.at(-1)!
      const bit = way.length - 1
      if (side === 2) {
        clearBit(words, bit)
        way.pop()
        sides.pop()
        continue
      }
      sides[sides.length - 1] = side + 1
      if (side === 1) setBit(words, bit)
      const child = this.#child(node, side)
      if (child < nodeCount) {
        if (seen[child] !== 0) continue
        seen[child] = DONE
        way.push(child)
        sides.push(0)
      } else if (child > nodeCount) {
        yield { network: networkText(words, way.length, ipVersion), offset: this.#offsetOf(child) }
      }
    }
  }

  #walk(from: number, bits: number, bitAt: (bit: number) => number): number {
    let node = from
    for (let bit = 0; bit < bits && node < this.#metadata.nodeCount; bit++) node = this.#child(node, bitAt(bit))
    return node
  }

  /** A record's value: below the node count a node, equal to it nothing, above it data. */
  #offsetOf(record: number): number {
    const { nodeCount, dataStart, dataEnd, treeBytes } = this.#metadata
    if (record <= nodeCount) return -1
    const offset = record - nodeCount - (dataStart - treeBytes)
    if (offset < 0 || offset >= dataEnd - dataStart) throw damaged('its tree leads beyond the data')
    return offset
  }

  #child(node: number, side: number): number {
    const bytes = this.#bytes
    const at = node * this.#nodeBytes
    switch (this.#metadata.recordBits) {
      case 24: {
        const from = at + side * 3
        return (bytes[from]! << 16) | (bytes[from + 1]! << 8) | bytes[from + 2]!
      }
      case 28: {
        const middle = bytes[at + 3]!
        const from = at + side * 4
        const high = side === 0 ? middle >>> 4 : middle & 15
        return (high << 24) | (bytes[from]! << 16) | (bytes[from + 1]! << 8) | bytes[from + 2]!
      }
      case 32: {
        const from = at + side * 4
        return ((bytes[from]! << 24) | (bytes[from + 1]! << 16) | (bytes[from + 2]! << 8) | bytes[from + 3]!) >>> 0
      }
    }
  }
}

const ON_THE_WAY = 1
const DONE = 2

function setBit(words: Uint32Array, bit: number): void {
  words[bit >>> 5]! |= 0x80000000 >>> (bit & 31)
}

function clearBit(words: Uint32Array, bit: number): void {
  words[bit >>> 5]! &= ~(0x80000000 >>> (bit & 31))
}

/** `192.0.2.0/24` or `2001:db8::/32`. Within an IPv6 tree, IPv4 addresses are below 96 zero bits. */
function networkText(words: Uint32Array, bits: number, ipVersion: 4 | 6): string {
  if (ipVersion === 4) return `${dotted(words[0]!)}/${bits}`
  if (bits >= 96 && words[0] === 0 && words[1] === 0 && words[2] === 0) return `${dotted(words[3]!)}/${bits - 96}`
  const groups = [...words].flatMap((word) => [(word >>> 16).toString(16), (word & 0xffff).toString(16)])
  let last = groups.length
  while (last > 0 && groups[last - 1] === '0') last--
  return `${groups.slice(0, last).join(':')}${last < groups.length - 1 ? '::' : last < groups.length ? ':0' : ''}/${bits}`
}

function dotted(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`
}
