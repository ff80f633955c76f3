import { isTar } from '../archive/tar.ts'

/** Compressions and archives that are read. */
export const PACKINGS = ['gzip', 'zstd', 'bzip2', 'snappy', 'snappy-java', 'zip'] as const
export type Packing = (typeof PACKINGS)[number]

const ANY = -1
const ANY_LOW = -2

/** First bytes; `ANY` is any byte, `ANY_LOW` one whose upper half is 5. */
const MAGICS: readonly (readonly [Packing, ...number[]])[] = [
  ['gzip', 0x1f, 0x8b],
  ['zstd', 0x28, 0xb5, 0x2f, 0xfd],
  ['zstd', ANY_LOW, 0x2a, 0x4d, 0x18],
  // Followed by a block, or by the end of an empty stream.
  ['bzip2', 0x42, 0x5a, 0x68, ANY, 0x31, 0x41, 0x59],
  ['bzip2', 0x42, 0x5a, 0x68, ANY, 0x17, 0x72, 0x45],
  ['snappy', 0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59],
  ['snappy-java', 0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00],
  ['zip', 0x50, 0x4b, 3, 4],
  ['zip', 0x50, 0x4b, 5, 6],
  ['zip', 0x50, 0x4b, 7, 8, 0x50, 0x4b],
]

/** Number of first bytes that show the compression. */
export const MAGIC_BYTES = 10

/** The compression, or the archive, that the first bytes show. */
export function packingOf(head: Uint8Array): Packing | undefined {
  return MAGICS.find(([, ...magic]) => head.length >= magic.length && isLike(head, magic))?.[0]
}

/** Whether more bytes are needed to see a compression. */
export function isUndecided(head: Uint8Array): boolean {
  return MAGICS.some(([, ...magic]) => head.length < magic.length && isLike(head, magic))
}

function isLike(head: Uint8Array, magic: readonly number[]): boolean {
  return magic
    .slice(0, head.length)
    .every((byte, i) => byte === ANY || (byte === ANY_LOW ? head[i]! >> 4 === 5 : head[i] === byte))
}

/** What the first bytes of a member of an archive are, if they are compressed themselves. */
export function nestedIn(head: Uint8Array): string | undefined {
  return packingOf(head) ?? (isTar(head) ? 'a tar archive' : undefined)
}
