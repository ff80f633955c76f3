import { Bits } from './bits.ts'
import { BrokenPacking, type ByteInput } from './byte-input.ts'
import { HuffmanTable } from './bzip2-huffman.ts'

/** No block is longer, compressed: 900,000 symbols of at most 20 bits, and the tables. */
const MOST_BLOCK_BYTES = 2_400_000
const PIECE_BYTES = 256 * 1024
/** What a block counts as, even one without content: its tables are built first. */
const BLOCK_WORK = 16 * 1024
const GROUP = 50

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let sum = n << 24
  for (let bit = 0; bit < 8; bit++) sum = sum & 0x80000000 ? (sum << 1) ^ 0x04c11db7 : sum << 1
  return sum
})

/** The content of all streams of a bzip2 file, block by block; each block's checksum is verified before it counts. */
export async function* unbzip2(input: ByteInput): AsyncGenerator<Buffer> {
  let sorted = new Uint32Array(0)
  while ((await input.peek(1)).length > 0) {
    const head = (await input.take(4)).toString('latin1')
    if (!/^BZh[1-9]$/.test(head)) throw new BrokenPacking('what follows a stream is not one')
    const blockBytes = 100_000 * Number(head[3])
    for (let bit = 0; ; ) {
      const bits = new Bits(await input.peek(MOST_BLOCK_BYTES), bit)
      const magic = bits.read(24) * 2 ** 24 + bits.read(24)
      const sum = ((bits.read(16) << 16) | bits.read(16)) >>> 0
      if (magic === 0x177245385090) {
        await input.take(Math.ceil(bits.position / 8))
        break
      }
      if (magic !== 0x314159265359) throw new BrokenPacking('a block does not begin like one')
      await input.spend(BLOCK_WORK)
      // Memory for the largest block so far serves all.
      if (sorted.length < blockBytes) sorted = new Uint32Array(blockBytes)
      yield* block(bits, sorted.subarray(0, blockBytes), sum)
      await input.take(bits.position >> 3)
      bit = bits.position & 7
    }
  }
}

/** Undoes Huffman coding, move-to-front and the runs of the most recent symbol, then the sorting. */
function block(bits: Bits, sorted: Uint32Array, sum: number): readonly Buffer[] {
  const blockBytes = sorted.length
  if (bits.read(1) === 1) throw new BrokenPacking('a block is randomised, as bzip2 before 1995 wrote it')
  const first = bits.read(24)
  const symbols = symbolsOf(bits)
  const { tables, selectors } = tablesOf(bits, symbols.length + 2)
  const counts = new Int32Array(256)
  const end = symbols.length + 1
  let size = 0
  let run = 0
  let weight = 1
  for (let n = 0; ; n++) {
    const table = tables[selectors[Math.floor(n / GROUP)] ?? -1]
    if (!table) throw new BrokenPacking('a block has more symbols than it announces')
    const symbol = table.next(bits)
    if (symbol <= 1) {
      run += weight << symbol
      weight <<= 1
      if (run > blockBytes) throw new BrokenPacking('a block is longer than announced')
      continue
    }
    if (size + run > blockBytes || (size + run === blockBytes && symbol !== end))
      throw new BrokenPacking('a block is longer than announced')
    if (run > 0) {
      sorted.fill(symbols[0]!, size, size + run)
      counts[symbols[0]!]! += run
      size += run
      run = 0
      weight = 1
    }
    if (symbol === end) break
    const byte = symbols[symbol - 1]!
    symbols.copyWithin(1, 0, symbol - 1)
    symbols[0] = byte
    sorted[size++] = byte
    counts[byte]!++
  }
  if (size === 0 ? first !== 0 : first >= size) throw new BrokenPacking('a block begins outside of itself')
  return unsorted(sorted, { size, first, counts, sum })
}

/** The bytes that occur in a block, in ascending order. */
function symbolsOf(bits: Bits): Uint8Array {
  const ranges = bits.read(16)
  const symbols: number[] = []
  for (let range = 0; range < 16; range++) {
    if (!(ranges & (0x8000 >> range))) continue
    const used = bits.read(16)
    for (let i = 0; i < 16; i++) if (used & (0x8000 >> i)) symbols.push(16 * range + i)
  }
  if (symbols.length === 0) throw new BrokenPacking('a block uses no bytes')
  return Uint8Array.from(symbols)
}

function tablesOf(bits: Bits, alphabet: number): { readonly tables: readonly HuffmanTable[]; readonly selectors: Uint8Array } {
  const count = bits.read(3)
  const groups = bits.read(15)
  if (count < 2 || count > 6 || groups === 0) throw new BrokenPacking('a block has an impossible number of tables')
  const recent = [0, 1, 2, 3, 4, 5]
  const selectors = new Uint8Array(groups)
  for (let i = 0; i < groups; i++) {
    let at = 0
    while (bits.read(1) === 1) if (++at >= count) throw new BrokenPacking('a block selects a table that it does not have')
    recent.unshift(...recent.splice(at, 1))
    selectors[i] = recent[0]!
  }
  const tables = Array.from({ length: count }, () => {
    let length = bits.read(5)
    const lengths = Uint8Array.from({ length: alphabet }, () => {
      while (bits.read(1) === 1) length += bits.read(1) === 1 ? -1 : 1
      if (length < 1 || length > 20) throw new BrokenPacking('a block has an impossible table')
      return length
    })
    return new HuffmanTable(lengths)
  })
  return { tables, selectors }
}

interface Sorted {
  readonly size: number
  readonly first: number
  readonly counts: Int32Array
  readonly sum: number
}

/** Undoes the sorting (the Burrows-Wheeler transform) and the outermost runs: four equal bytes, then how many more. */
function unsorted(sorted: Uint32Array, { size, first, counts, sum }: Sorted): readonly Buffer[] {
  let before = 0
  for (let byte = 0; byte < 256; byte++) {
    const count = counts[byte]!
    counts[byte] = before
    before += count
  }
  for (let i = 0; i < size; i++) sorted[counts[sorted[i]! & 0xff]!++]! |= i << 8
  const parts: Buffer[] = []
  let out = Buffer.allocUnsafe(PIECE_BYTES)
  let filled = 0
  let crc = 0xffffffff
  const put = (byte: number) => {
    if (filled === out.length) {
      parts.push(out)
      out = Buffer.allocUnsafe(PIECE_BYTES)
      filled = 0
    }
    out[filled++] = byte
    crc = (crc << 8) ^ CRC[(crc >>> 24) ^ byte]!
  }
  let last = -1
  let equal = 0
  for (let i = 0, at = sorted[first]! >>> 8; i < size; i++) {
    const entry = sorted[at]!
    const byte = entry & 0xff
    at = entry >>> 8
    if (equal === 4) {
      for (let more = byte; more > 0; more--) put(last)
      equal = 0
      last = -1
      continue
    }
    equal = byte === last ? equal + 1 : 1
    last = byte
    put(byte)
  }
  if (~crc >>> 0 !== sum) throw new BrokenPacking('a checksum is wrong')
  parts.push(out.subarray(0, filled))
  return parts
}
