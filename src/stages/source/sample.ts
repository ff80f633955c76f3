import { createHash } from 'node:crypto'
import { BLOCK_BYTES } from './print.ts'

/** What tells a file of which nothing was read yet from others that begin alike. Made of its first block. */
export interface Sample {
  /** Hashes of its beginnings, for each length of `LENGTHS` that it has. */
  readonly beginnings: readonly string[]
  /** Where the block's last bytes are, and what they are. */
  readonly tailAt: number
  readonly tail: Buffer
}

const TAIL_BYTES = 64

/** Lengths of which each is a tenth more than the one before: of two files the greatest that both have covers nearly all of the shorter. */
const LENGTHS = lengths()

/** A sample of a file whose first block this is. */
export function sampleOf(block: Buffer): Sample {
  const hash = createHash('sha256')
  const beginnings: string[] = []
  let from = 0
  for (const length of LENGTHS) {
    if (length > block.length) break
    hash.update(block.subarray(from, length))
    beginnings.push(hash.copy().digest('base64'))
    from = length
  }
  const tailAt = Math.max(0, block.length - TAIL_BYTES)
  // A copy: the block's memory is large.
  return { beginnings, tailAt, tail: Buffer.from(block.subarray(tailAt)) }
}

/** True when the file of the sample has other bytes than the file of `own` and `block`, where both have some. */
export function differs({ beginnings, tailAt, tail }: Sample, own: Sample, block: Buffer): boolean {
  const longest = Math.min(beginnings.length, own.beginnings.length) - 1
  if (longest >= 0 && beginnings[longest] !== own.beginnings[longest]) return true
  const there = block.subarray(tailAt, tailAt + tail.length)
  return !there.equals(tail.subarray(0, there.length))
}

function lengths(): number[] {
  const list: number[] = []
  for (let length = 1024; length <= BLOCK_BYTES; length = Math.ceil(length * 1.1)) list.push(length)
  return list
}
