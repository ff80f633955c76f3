import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { zipOf } from '../../util/archive/zip.fixture.ts'
import { ByteInput } from '../../util/unpack/byte-input.ts'
import type { Packing } from '../../util/unpack/packings.ts'
import { unpack } from '../../util/unpack/unpack.ts'
import { PART } from '../../util/unpack/unpacked.ts'
import { unzstd } from '../../util/unzstd.ts'
import { BodyMemory } from './body-memory.ts'
import { withPlainBodies, withPlainBody } from './plain-body.ts'

const MIB = 1024 * 1024
const options = { maxBytes: 16 * MIB, memory: new BodyMemory(64 * MIB), encoding: undefined }

/** Copies of `part`, as many as fit into a body. */
function filled(part: Buffer, bytes = 4 * MIB): Buffer {
  return Buffer.alloc(Math.floor(bytes / part.length) * part.length, part)
}

/** A frame without a checksum whose window has the descriptor `window`, of these blocks, each with its header. */
function frame(window: number, ...blocks: readonly number[][]): Buffer {
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, window, ...blocks.flat()])
}
const MIB_128 = 17 << 3
const EMPTY = [0, 0, 0]
const LAST = [1, 0, 0]
/** One byte, repeated once. */
const REPEAT = [0x0a, 0, 0, 0x61]

/** `a`, as bzip2 -9 writes it: 37 bytes that need a table of 900,000 numbers. */
const BZIP2 = Buffer.from('QlpoOTFBWSZTWRmTm2sAAAABACAAIAAhGEaC7kinChIDMnNtYA==', 'base64')

const BOMBS: Readonly<Record<string, readonly [Packing, Buffer]>> = {
  'empty zstd frames with a large window': ['zstd', filled(frame(MIB_128, LAST))],
  'zstd frames of two empty blocks': ['zstd', filled(frame(MIB_128, EMPTY, LAST))],
  'a zstd frame of blocks of one byte': ['zstd', frame(MIB_128, ...Array.from({ length: 100_000 }, () => REPEAT), LAST)],
  'skippable zstd frames': ['zstd', filled(Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]))],
  'tiny bzip2 streams': ['bzip2', filled(BZIP2)],
  'empty members of a zip archive': ['zip', filled(zipOf({ a: Buffer.alloc(0) }).subarray(0, 33))],
}

test.each(Object.entries(BOMBS))('%s are refused soon, and others get a turn', async (_, [, body]) => {
  let turns = 0
  let isOver = false
  const turn = () => {
    turns++
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  const before = process.cpuUsage()
  await expect(withPlainBody(body, options, async () => undefined)).rejects.toThrow(/is cut into tiny parts, as no log does/)
  const { user, system } = process.cpuUsage(before)
  isOver = true
  expect(user + system).toBeLessThan(10_000_000)
  // What is refused within a few slices of 10 ms need not wait for others.
  if (user + system > 100_000) expect(turns).toBeGreaterThan(1)
  expect(options.memory.take(64 * MIB)).toBe(true)
  options.memory.release(64 * MIB)
})

test('many bodies share the work that one may cause', async () => {
  const bodies = Array.from({ length: 50 }, () => filled(frame(MIB_128, EMPTY, LAST), 100_000))
  const before = process.cpuUsage()
  await expect(withPlainBodies(bodies, options, async () => undefined)).rejects.toThrow(/tiny parts/)
  const { user, system } = process.cpuUsage(before)
  expect(user + system).toBeLessThan(10_000_000)
})

test.each([
  ['empty frames', filled(frame(13 << 3, LAST))],
  ['frames of two blocks', filled(frame(13 << 3, EMPTY, LAST))],
  ['blocks of one byte', frame(13 << 3, ...Array.from({ length: 100_000 }, () => REPEAT), LAST)],
])('the decoder for whole messages refuses %s soon', (_, body) => {
  const before = process.cpuUsage()
  expect(unzstd(body, 16 * MIB)).toEqual({ kind: 'broken', message: expect.stringMatching(/hardly any content/) })
  const { user, system } = process.cpuUsage(before)
  expect(user + system).toBeLessThan(10_000_000)
})

/** One line of a log, as each tool writes it. */
const LINE = '2026-11-29T18:03:57.123Z web-04 sshd[18231]: Accepted publickey for deploy from 192.0.2.17 port 50122\n'
const LINES = {
  zstd: Buffer.from(
    'KLUv/QRYBQMAYgYXHGBrdYN51IVIkJmQBAxQsUHa/GFsUnzAiuDDEgEA1eeyEx/08aQpkyb34sXFz2PgOse3+FlFSzAKA9qtA7e1gdnhSpEbHKJpHEikbMMFpU/HYioZckKi6EcCTQ0Av9MGtw==',
    'base64',
  ),
  bzip2: Buffer.from(
    'QlpoOTFBWSZTWW+SSxQAABHfgAAQQAN/8CAABBofbt6gIABqKnqabKZMjamjEAAFTyDUyaAAMjQ09Qdu39fIfndHKBtIDOCXXkAiic8MVyGLJAywqQBbUqcFA70vJ45FD6EZKk4+nF4tBzVyZzNLLGgDFg1JEgWK/F3JFOFCQb5JLFA=',
    'base64',
  ),
}

test.each(Object.entries(LINES))('%s with a frame for each line of a log is read, however many', async (packing, line) => {
  const count = 2000
  const body = filled(line, line.length * count)
  const input = new ByteInput(pieces(body))
  let size = 0
  for await (const piece of unpack(packing as Packing, input, 256 * 1024)) if (piece !== PART) size += piece.length
  expect(size).toBe(LINE.length * count)
})

test('frames for each line are read by the decoder for whole messages', () => {
  const result = unzstd(filled(LINES.zstd, LINES.zstd.length * 10_000), 2 * MIB)
  expect(result.kind === 'ok' && Buffer.concat(result.parts).toString()).toBe(LINE.repeat(10_000))
})

function pieces(body: Buffer): () => Promise<Buffer | undefined> {
  let at = 0
  return async () => {
    const piece = body.subarray(at, at + 8192)
    at += piece.length
    return piece.length > 0 ? piece : undefined
  }
}

test('a frame that announces more than its only block may have is refused', async () => {
  const body = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 1, ...LAST])
  await expect(withPlainBody(body, options, async () => undefined)).rejects.toThrow(/less content than it announces/)
  expect(unzstd(body, 128 * MIB)).toMatchObject({ kind: 'broken' })
})

test('a whole file is read as before', async () => {
  const folder = join(import.meta.dirname, '../../../test/fixtures/packed')
  const plain = readFileSync(join(folder, 'utf-8.log'))
  for (const name of ['bz2', 'zst'])
    await withPlainBody(readFileSync(join(folder, `utf-8.log.${name}`)), options, async (body) =>
      expect(Buffer.from(body).equals(plain)).toBe(true),
    )
})
