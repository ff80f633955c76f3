/** Where keys occur: in the content before, in the content after, or in both. */
export const BEFORE = 1
export const AFTER = 2
export type Side = typeof BEFORE | typeof AFTER

/** How a key differs between two contents. */
export type Change = 'added' | 'removed' | 'changed' | 'same'

/** Of the slots, at most this share is used, so that a search ends soon. */
const MAX_LOAD = 0.6

/**
 * Compares two sets of keys with rows by 64-bit hashes, in some thirty bytes per key, however long keys and rows are: open addressing over
 * typed arrays. Several rows of one key count as one, whatever their order.
 */
export class KeyTally {
  #size = 0
  #slots = 1024
  /** The key's hash; its upper half is never 0 in a used slot. */
  #low = new Uint32Array(this.#slots)
  #high = new Uint32Array(this.#slots)
  #sides = new Uint8Array(this.#slots)
  /** Sums of the hashes of its rows, and the worst rank, before and after. */
  #sums = new Uint32Array(this.#slots * 4)
  #ranks = new Float64Array(this.#slots * 2).fill(Number.NEGATIVE_INFINITY)
  readonly #hash = new Uint32Array(2)

  /** Adds a row. A higher `rank` is a worse verdict. */
  add(side: Side, key: string, row: string, rank: number): void {
    if (this.#size >= this.#slots * MAX_LOAD) this.#grow()
    const slot = this.#slotOf(key)
    if (this.#high[slot] === 0) {
      this.#size++
      this.#low[slot] = this.#hash[0]!
      this.#high[slot] = this.#hash[1]!
    }
    this.#sides[slot]! |= side
    hash64(row, this.#hash)
    const at = slot * 4 + (side === BEFORE ? 0 : 2)
    this.#sums[at] = (this.#sums[at]! + this.#hash[0]!) >>> 0
    this.#sums[at + 1] = (this.#sums[at + 1]! + this.#hash[1]!) >>> 0
    const of = slot * 2 + (side === BEFORE ? 0 : 1)
    if (rank > this.#ranks[of]!) this.#ranks[of] = rank
  }

  /** How a key that was added differs. */
  changeOf(key: string): Change {
    return this.#change(this.#slotOf(key))
  }

  /** True if the key is in both contents and its verdict after is worse than before. */
  isWorse(key: string): boolean {
    return this.#isWorse(this.#slotOf(key))
  }

  /** The number of keys by change; `worsened` ones are among the changed ones. */
  count(): Record<Change | 'worsened', number> {
    const counts = { added: 0, removed: 0, changed: 0, same: 0, worsened: 0 }
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.#high[slot] === 0) continue
      counts[this.#change(slot)]++
      if (this.#isWorse(slot)) counts.worsened++
    }
    return counts
  }

  #change(slot: number): Change {
    const sides = this.#sides[slot]!
    if (sides === AFTER) return 'added'
    if (sides === BEFORE) return 'removed'
    const at = slot * 4
    const isSame = this.#sums[at] === this.#sums[at + 2] && this.#sums[at + 1] === this.#sums[at + 3]
    return isSame ? 'same' : 'changed'
  }

  #isWorse(slot: number): boolean {
    return this.#sides[slot] === (BEFORE | AFTER) && this.#ranks[slot * 2 + 1]! > this.#ranks[slot * 2]!
  }

  /** The slot of a key, or the empty one where it belongs; its hash is in `#hash` afterwards. */
  #slotOf(key: string): number {
    hash64(key, this.#hash)
    if (this.#hash[1] === 0) this.#hash[1] = 1
    return this.#find(this.#hash[0]!, this.#hash[1]!)
  }

  #find(low: number, high: number): number {
    const mask = this.#slots - 1
    let slot = low & mask
    while (this.#high[slot] !== 0 && (this.#low[slot] !== low || this.#high[slot] !== high)) slot = (slot + 1) & mask
    return slot
  }

  #grow(): void {
    const old = { low: this.#low, high: this.#high, sides: this.#sides, sums: this.#sums, ranks: this.#ranks }
    this.#slots *= 2
    this.#low = new Uint32Array(this.#slots)
    this.#high = new Uint32Array(this.#slots)
    this.#sides = new Uint8Array(this.#slots)
    this.#sums = new Uint32Array(this.#slots * 4)
    this.#ranks = new Float64Array(this.#slots * 2).fill(Number.NEGATIVE_INFINITY)
    for (let from = 0; from < old.low.length; from++) {
      if (old.high[from] === 0) continue
      const to = this.#find(old.low[from]!, old.high[from]!)
      this.#low[to] = old.low[from]!
      this.#high[to] = old.high[from]!
      this.#sides[to] = old.sides[from]!
      this.#sums.set(old.sums.subarray(from * 4, from * 4 + 4), to * 4)
      this.#ranks.set(old.ranks.subarray(from * 2, from * 2 + 2), to * 2)
    }
  }
}

/** Two independent 32-bit hashes over UTF-16 units, each with a final mix: equal by chance for one of a million keys once in 10⁷ tables. */
function hash64(text: string, into: Uint32Array): void {
  let a = 0x9e3779b9
  let b = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = Math.imul(a ^ unit, 0x85ebca77)
    b = Math.imul(b ^ unit, 0xc2b2ae3d)
    a ^= a >>> 15
    b ^= b >>> 13
  }
  into[0] = mixed(a ^ Math.imul(b, 0x9e3779b1))
  into[1] = mixed(b ^ Math.imul(a, 0x27d4eb2f))
}

function mixed(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
