import { BLOCK_BYTES } from './print.ts'

/** What tells a file of which nothing was read yet from others that begin alike. Made of its first block. */
export interface Sample {
  /** Hashes of its beginnings, for each length of `LENGTHS` that it has. */
  readonly beginnings: Uint32Array
  /** Where the block's last bytes are, and what they are. */
  readonly tailAt: number
  readonly tail: Buffer
}

const TAIL_BYTES = 64

/** So dense that of two files the greatest that both have leaves out at most two bytes of a thousand of the shorter. */
const LENGTHS = lengths()

/** A sample of a file whose first block this is. */
export function sampleOf(block: Buffer): Sample {
  const count = LENGTHS.findIndex((length) => length > block.length)
  const beginnings = new Uint32Array(count < 0 ? LENGTHS.length : count)
  // FNV-1a. Two files of one hash are compared byte by byte, so it need not resist anybody.
  let hash = 0x811c9dc5
  let at = 0
  for (const [i, length] of LENGTHS.entries()) {
    if (i === beginnings.length) break
    for (; at < length; at++) hash = Math.imul(hash ^ block[at]!, 0x01000193)
    beginnings[i] = hash
  }
  const tailAt = Math.max(0, block.length - TAIL_BYTES)
  // A copy: the block's memory is large.
  return { beginnings, tailAt, tail: Buffer.from(block.subarray(tailAt)) }
}

/** True when the file of the sample has other bytes than the file of `own` and `block`, where both have some. False: perhaps. */
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
