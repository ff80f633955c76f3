import { BLOCK_BYTES } from './print.ts'

/** Distinguishes a file of which nothing was read yet from others with the same beginning. Built from its first block. */
export interface Sample {
  /** Hashes of its beginnings, for each length in `LENGTHS` that it reaches. */
  readonly beginnings: Uint32Array
  /** The offset and contents of the block's last bytes. */
  readonly tailAt: number
  readonly tail: Buffer
}

const TAIL_BYTES = 64

/** Dense enough that for any two files the greatest common length omits at most two bytes per thousand of the shorter one. */
const LENGTHS = lengths()

/** A sample of the file with this first block. */
export function sampleOf(block: Buffer): Sample {
  const count = LENGTHS.findIndex((length) => length > block.length)
  const beginnings = new Uint32Array(count < 0 ? LENGTHS.length : count)
  // FNV-1a. Files with equal hashes are compared byte by byte, so it need not be resistant to attacks.
  let hash = 0x811c9dc5
  let at = 0
  for (const [i, length] of LENGTHS.entries()) {
    if (i === beginnings.length) break
    for (; at < length; at++) hash = Math.imul(hash ^ block[at]!, 0x01000193)
    beginnings[i] = hash
  }
  const tailAt = Math.max(0, block.length - TAIL_BYTES)
  // A copy, because the block's memory is large.
  return { beginnings, tailAt, tail: Buffer.from(block.subarray(tailAt)) }
}

/** True if the file of the sample differs from the file of `own` and `block` within their common length. False: unknown. */
export function differs({ beginnings, tailAt, tail }: Sample, own: Sample, block: Buffer): boolean {
  const longest = Math.min(beginnings.length, own.beginnings.length) - 1
  if (longest >= 0 && beginnings[longest] !== own.beginnings[longest]) return true
  const there = block.subarray(tailAt, tailAt + tail.length)
  return !there.equals(tail.subarray(0, there.length))
}

function lengths(): number[] {
  const list: number[] = []
  for (let length = 1024; length <= BLOCK_BYTES; length += Math.floor(length / 512)) list.push(length)
  return list
}
