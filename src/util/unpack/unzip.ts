import { crc32 } from 'node:zlib'
import { BrokenPacking, type ByteInput } from './byte-input.ts'
import { Inflater } from './inflater.ts'
import { nestedIn } from './packings.ts'
import { PART, type Unpacked } from './unpacked.ts'

const LOCAL = 0x04034b50
const CENTRAL = 0x02014b50
const END = 0x06054b50
const END_64 = 0x06064b50
const DESCRIPTOR = 0x08074b50
/** What a member counts as: each has a decompressor of its own. */
const MEMBER_WORK = 16 * 1024
const OUTPUT_BYTES = 256 * 1024
/** Resource forks, which macOS adds to archives. */
const NOT_CONTENT = /^__MACOSX\//

interface Member {
  readonly name: string
  /** For messages. */
  readonly shown: string
  readonly isStored: boolean
  /** Unknown if a descriptor follows the content. */
  readonly packedBytes: number | undefined
  readonly crc: number
  readonly isZip64: boolean
}

/**
 * The content of each member of a ZIP archive (PKWARE's APPNOTE.TXT), read from its beginning to its end, without the directory there: so
 * an archive may come from a pipe, and what is in front of damage is kept. Each member is preceded by `PART`.
 */
export async function* unzip(input: ByteInput): AsyncGenerator<Unpacked> {
  for (;;) {
    const signature = (await input.peek(4)).length < 4 ? undefined : (await input.peek(4)).readUInt32LE()
    if (signature === CENTRAL || signature === END || signature === END_64) return
    if (signature === DESCRIPTOR && input.position === 0) {
      await input.take(4)
      continue
    }
    if (signature === undefined) throw new BrokenPacking('unexpected end of file')
    if (signature !== LOCAL) throw new BrokenPacking('what follows a member is not one')
    await input.spend(MEMBER_WORK)
    const member = await headerOf(input)
    const isContent = !member.name.endsWith('/') && !NOT_CONTENT.test(member.name)
    if (isContent) yield PART
    for await (const bytes of contentOf(input, member)) if (isContent) yield bytes
  }
}

async function headerOf(input: ByteInput): Promise<Member> {
  const header = await input.take(30)
  const flags = header.readUInt16LE(6)
  const method = header.readUInt16LE(8)
  const name = (await input.take(header.readUInt16LE(26))).toString()
  const extra = await input.take(header.readUInt16LE(28))
  const shown = JSON.stringify(name.slice(0, 100))
  if (flags & 1) throw new BrokenPacking(`the member ${shown} is encrypted`)
  if (method !== 0 && method !== 8)
    throw new BrokenPacking(`the member ${shown} has the compression method ${method}; supported are 0 (stored) and 8 (deflate)`)
  const long = zip64In(extra)
  const size = header.readUInt32LE(18)
  const packedBytes = size === 0xffffffff && long && long.length >= 16 ? Number(long.readBigUInt64LE(8)) : size
  const isOpen = (flags & 8) !== 0
  if (isOpen && method === 0 && size === 0 && !name.endsWith('/'))
    throw new BrokenPacking(`the member ${shown} does not say how long it is: compress the archive again with deflate`)
  const isStored = method === 0
  return {
    name,
    shown,
    isStored,
    packedBytes: isOpen && !isStored ? undefined : packedBytes,
    crc: header.readUInt32LE(14),
    isZip64: long !== undefined,
  }
}

function zip64In(extra: Buffer): Buffer | undefined {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2))
    if (extra.readUInt16LE(at) === 1) return extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2))
  return undefined
}

/** Passes on the content of a member and verifies its checksum. */
async function* contentOf(input: ByteInput, member: Member): AsyncGenerator<Buffer> {
  const { shown, packedBytes, isStored, isZip64 } = member
  const packed = packedBytes === undefined ? untilEnd(input) : portions(input, packedBytes)
  let sum = 0
  let isFirst = true
  for await (const bytes of isStored ? packed : inflated(packed, input, packedBytes === undefined)) {
    const nested = isFirst && !NOT_CONTENT.test(member.name) ? nestedIn(bytes) : undefined
    if (nested) throw new BrokenPacking(`the member ${shown} is ${nested} itself: archives in archives are not read`)
    isFirst = false
    sum = crc32(bytes, sum)
    yield bytes
  }
  let expected = member.crc
  if (packedBytes === undefined) {
    const isSigned = (await input.peek(4)).length === 4 && (await input.peek(4)).readUInt32LE() === DESCRIPTOR
    const descriptor = await input.take((isSigned ? 8 : 4) + (isZip64 ? 16 : 8))
    expected = descriptor.readUInt32LE(isSigned ? 4 : 0)
  }
  if (sum !== expected) throw new BrokenPacking(`the member ${shown} is damaged: its checksum is wrong`)
}

async function* portions(input: ByteInput, length: number): AsyncGenerator<Buffer> {
  for (let left = length; left > 0; ) {
    const bytes = await input.some()
    if (!bytes) throw new BrokenPacking('unexpected end of file')
    if (bytes.length > left) input.back(bytes.subarray(left))
    yield bytes.subarray(0, left)
    left -= Math.min(left, bytes.length)
  }
}

async function* untilEnd(input: ByteInput): AsyncGenerator<Buffer> {
  for (let bytes = await input.some(); bytes; bytes = await input.some()) yield bytes
}

async function* inflated(packed: AsyncIterable<Buffer>, input: ByteInput, isOpen: boolean): AsyncGenerator<Buffer> {
  const out: Buffer[] = []
  const inflater = new Inflater('raw-deflate', (bytes) => out.push(bytes), { chunkSize: OUTPUT_BYTES, mayBeFollowed: isOpen })
  const check = () => {
    if (inflater.fault !== undefined) throw new BrokenPacking(inflater.fault)
  }
  try {
    for await (const bytes of packed) {
      await inflater.write(bytes)
      yield* out.splice(0)
      check()
      if (!inflater.ended) continue
      if (inflater.unused > 0) input.back(bytes.subarray(bytes.length - inflater.unused))
      return
    }
    await inflater.finish()
    yield* out.splice(0)
    check()
  } finally {
    inflater.destroy()
  }
}
