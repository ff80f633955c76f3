import {
  appendFileSync,
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { Cursor } from '../../model/batch.ts'
import type { Chunk } from '../../model/chunk.ts'
import { zipOf } from '../../util/archive/zip.fixture.ts'
import type { Encoding } from '../../util/encoding.ts'
import { ByteInput } from '../../util/unpack/byte-input.ts'
import { unpack } from '../../util/unpack/unpack.ts'
import { PART } from '../../util/unpack/unpacked.ts'
import { file as source } from './file.ts'
import { fileChunks } from './file-chunks.ts'
import { type StreamChunk, streamChunks } from './line-stream.ts'
import { openReader } from './open-reader.ts'
import { type BatchSource, BUSY, NOTHING_OUTSIDE } from './source.ts'

/** The same 400 lines in each encoding, and packed by bzip2, zstd, zip (from a file and from a pipe) and cramjam (Snappy). */
const fixtures = join(import.meta.dirname, '../../../test/fixtures/packed')
const top = mkdtempSync(join(tmpdir(), 'caracal-packed-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))
let files = 0
function file(bytes: Uint8Array): string {
  const path = join(top, String(++files))
  writeFileSync(path, bytes)
  return path
}

const text = readFileSync(join(fixtures, 'utf-8.log'))
const encodingIn = (name: string): Encoding | undefined => (name.startsWith('windows-1252') ? 'windows-1252' : undefined)
const packed = readdirSync(fixtures).map((name) => ({ name, path: join(fixtures, name) }))
const zipped = packed
  .filter(({ name }) => name.endsWith('.log'))
  .map(({ name, path }) => ({ name: `${name}.gz`, path: file(gzipSync(readFileSync(path))) }))
const all = [...packed, ...zipped]

async function drain(chunks: AsyncIterable<StreamChunk>): Promise<Chunk[]> {
  const found: Chunk[] = []
  for await (const { chunk, parsed } of chunks) {
    found.push(chunk)
    parsed('x')
  }
  return found
}

const options = { sourceId: 'run', maxRecordBytes: 100_000, tell: () => {} }
const ofFile = (path: string, encoding?: Encoding) => drain(fileChunks(path, { ...options, encoding }))
const ofStream = (path: string, encoding?: Encoding) =>
  drain(streamChunks(createReadStream(path, { highWaterMark: 1000 }), { ...options, place: 'p', encoding }))

/** Each record and where it is. */
function recordsOf(chunks: readonly Chunk[]): string[] {
  return chunks.flatMap(({ bytes, records, offset, place, faults }) => {
    const content = Buffer.from(bytes)
    const found: string[] = faults.map(({ reason }) => reason)
    const lines = (from: number, to: number) => {
      const record = content.toString('utf8', from, to)
      if (record.trim() !== '') found.push(`${place}:${offset + from} ${record.trim()}`)
    }
    for (let i = 0; records && i < records.length; i += 2) lines(records[i]!, records[i + 1]!)
    for (let at = 0; !records && at < content.length; ) {
      const end = content.indexOf(10, at) < 0 ? content.length : content.indexOf(10, at)
      lines(at, end)
      at = end + 1
    }
    return found
  })
}
const withoutPlace = (records: readonly string[]) => records.map((record) => record.replace(/^\S+ /, ''))

test.each(all)(
  '$name: the same records at the same places as the plain file, from a file and from a stream',
  async ({ name, path }) => {
    const expected = recordsOf(await ofFile(join(fixtures, 'utf-8.log')))
    expect(expected).toHaveLength(400)
    expect(recordsOf(await ofFile(path, encodingIn(name)))).toEqual(expected)
    const streamed = recordsOf(await ofStream(path, encodingIn(name)))
    expect(withoutPlace(streamed)).toEqual(withoutPlace(expected))
  },
)

test.each(all)('$name: any window, forward and back', async ({ name, path }) => {
  const reader = await openReader(path, encodingIn(name))
  const window = fc.record({ from: fc.nat(text.length + 10), length: fc.integer({ min: 1, max: 30_000 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(window, { minLength: 1, maxLength: 4 }), async (windows) => {
      for (const { from, length } of windows) {
        const { bytes, end, fault } = await reader.read(from, length)
        expect(bytes.equals(text.subarray(from, from + length))).toBe(true)
        expect(fault).toBeUndefined()
        if (from + length > text.length) expect(end).toBe(true)
      }
    }),
    { numRuns: 10, seed: 5 },
  )
  await reader.close()
})

describe('damage', () => {
  const intact = all.filter(({ name }) => name.startsWith('utf-8.log.'))

  test.each(intact)('$name: cut anywhere, it gives a beginning of the records and one dead letter', async ({ name, path }) => {
    const whole = readFileSync(path)
    const expected = withoutPlace(recordsOf(await ofFile(join(fixtures, 'utf-8.log'))))
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 20, max: whole.length - 1 }), async (length) => {
        const cut = file(whole.subarray(0, length))
        const records = withoutPlace(recordsOf(await ofFile(cut)))
        // The directory of an archive is not needed, and a frame or a stream may be missing as a whole.
        if (records.at(-1) === 'compression') records.pop()
        else expect(records.length === 400 || /zip|sz/.test(name)).toBe(true)
        const streamed = withoutPlace(recordsOf(await ofStream(cut)))
        if (streamed.at(-1) === 'compression') streamed.pop()
        for (const found of [records, streamed]) expect(found).toEqual(expected.slice(0, found.length))
      }),
      { numRuns: 15, seed: 6 },
    )
  })

  test.each(intact)('$name: whatever bytes are changed, reading ends', async ({ path }) => {
    const whole = readFileSync(path)
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255))
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const bytes = Buffer.from(whole)
        for (const [at, byte] of changes) bytes[at] = byte
        await ofFile(file(bytes))
      }),
      { numRuns: 30, seed: 7 },
    )
  })
})

describe('archives', () => {
  const members = {
    'a.log': Buffer.from('a 1\na 2'),
    'b.json': Buffer.from('[{"b":1},{"b":2'),
    'folder/': Buffer.alloc(0),
    '__MACOSX/._a.log': Buffer.from('not a log'),
    'c.txt': Buffer.from('\ufeffc 1\n', 'utf16le'),
    'empty.log': Buffer.alloc(0),
    'd.log': Buffer.from('\ufeffd 1\n'),
  }
  const records = ['a 1', 'a 2', '{"b":1}', '{"b":2', 'c 1', 'd 1']

  test('each member is read as if it were a file, with its own beginning and context', async () => {
    const path = file(zipOf(members))
    const chunks = await ofFile(path)
    expect(withoutPlace(recordsOf(chunks))).toEqual(records)
    expect(Buffer.from(chunks.at(-1)!.bytes).toString()).toBe('d 1\n')
    // The parser knows nothing of the members before.
    expect(chunks.map(({ context }) => context)).toEqual(['', '', '', '', ''].slice(0, chunks.length))
    expect(withoutPlace(recordsOf(await ofStream(path)))).toEqual(records)
  })

  test.each([
    ['a member that is compressed', zipOf({ 'a.log': Buffer.from('a\n'), 'b.gz': gzipSync('b') }), /"b\.gz" is gzip itself/],
    ['an encrypted member', zipOf({ 'a.log': Buffer.from('a\n') }, { flags: 1 }), /"a\.log" is encrypted/],
    ['an unknown method', zipOf({ 'a.log': Buffer.from('a\n') }, { method: 14 }), /method 14; supported are 0/],
  ])('%s is refused by name', async (_, bytes, message) => {
    const faults = (await ofFile(file(bytes))).flatMap((chunk) => chunk.faults)
    expect(faults).toMatchObject([{ reason: 'compression', message: expect.stringMatching(message) }])
  })
})

describe('growing files in other encodings', () => {
  const encoded = packed.filter(({ name }) => /^(utf-16le|windows-1252)\.log$/.test(name))
  let clock = 0
  let folders = 0

  function follow(encoding: Encoding | undefined, cursors: Cursor[] = []) {
    const folder = join(top, `growing${folders}`)
    const config = source.config.parse({ id: 'f', paths: [`${folder}/*`], poll_ms: 20, idle_ms: 60_000, encoding })
    const now = () => Date.now() + clock
    return source.seekable!(config, { cursors, wake: () => {}, now, maxRecordBytes: 100_000, outside: NOTHING_OUTSIDE })
  }
  async function pull(from: BatchSource, cursors: Map<string, Cursor>, afterMs = 2000): Promise<string[]> {
    clock += afterMs
    const chunks: Chunk[] = []
    for (let extent = await from.next(); extent; extent = await from.next()) {
      if (extent === BUSY) continue
      chunks.push(...(await from.read(extent)))
      const cursor = from.parsed(extent, '')
      cursors.set(cursor.place, structuredClone(cursor))
    }
    return withoutPlace(recordsOf(chunks))
  }

  test.each(encoded)(
    '$name: each line is taken once, whatever the pieces, through a restart, a rotation and a truncation',
    async ({ name, path }) => {
      const expected = withoutPlace(recordsOf(await ofFile(join(fixtures, 'utf-8.log'))))
      const bytes = readFileSync(path)
      const cuts = fc.uniqueArray(fc.integer({ min: 4, max: bytes.length - 1 }), { minLength: 2, maxLength: 5 })
      await fc.assert(
        fc.asyncProperty(cuts, async (unsorted) => {
          clock = 0
          const folder = join(top, `growing${++folders}`)
          mkdirSync(folder)
          const log = join(folder, 'app.log')
          const cursors = new Map<string, Cursor>()
          let reading = follow(encodingIn(name))
          const found: string[] = []
          const ends = [0, ...unsorted.toSorted((a, b) => a - b), bytes.length]
          for (let i = 1; i < ends.length; i++) {
            appendFileSync(log, bytes.subarray(ends[i - 1]!, ends[i]))
            found.push(...(await pull(reading, cursors)))
            if (i !== 2) continue
            await reading.close()
            reading = follow(encodingIn(name), [...cursors.values()])
          }
          expect(found).toEqual(expected)
          writeFileSync(join(folder, 'app.log.1.gz'), gzipSync(bytes))
          rmSync(log)
          expect(await pull(reading, cursors, 100_000)).toEqual([])
          writeFileSync(log, bytes)
          await pull(reading, cursors)
          writeFileSync(log, Buffer.concat([bytes.subarray(0, 2), bytes.subarray(bytes.length - 1000)]))
          expect((await pull(reading, cursors)).at(-1)).toBe(expected.at(-1))
          await reading.close()
        }),
        { numRuns: 5, seed: 8 },
      )
    },
  )
})

test('what expands beyond all reason is given up', async () => {
  const bomb = gzipSync(Buffer.alloc(2_000_000))
  let at = 0
  const step = async () => {
    const bytes = bomb.subarray(at, at + 100)
    at += 100
    return bytes.length > 0 ? bytes : undefined
  }
  const read = async () => {
    let size = 0
    for await (const piece of unpack('gzip', new ByteInput(step), 500_000)) if (piece !== PART) size += piece.length
    return size
  }
  await expect(read()).rejects.toThrow(/gzip, near byte \d+: it expands to more than 500 times its size/)
})
