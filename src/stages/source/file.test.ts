import {
  appendFileSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Extent } from '../../model/batch.ts'
import { IDLE_MS, LOOK_MS, Reading } from './file.fixture.ts'
import type { FileExtent } from './tracked-file.ts'

const root = mkdtempSync(join(tmpdir(), 'caracal-file-'))

let folder: string
let reading: Reading
beforeEach(() => {
  folder = mkdtempSync(join(root, 'logs-'))
  reading = new Reading(folder)
})
afterEach(() => reading.source.close())
const at = (name: string) => join(folder, name)

const long = (name: string, n: number) => Array.from({ length: n }, (_, i) => `${name} ${i} ${'x'.repeat(60)}`)
const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('')

test('growth, a partial last line, and the line once it is whole', async () => {
  writeFileSync(at('a.log'), 'one\r\ntwo\nthr')
  expect(await reading.pull()).toEqual(['one\r', 'two'])
  appendFileSync(at('a.log'), 'ee\nfour\n')
  expect(await reading.pull()).toEqual(['three', 'four'])
  expect(await reading.pull()).toEqual([])
})

test('a last line without a newline counts once the file is idle', async () => {
  writeFileSync(at('a.log'), 'one\ntwo')
  expect(await reading.pull()).toEqual(['one'])
  expect(await reading.pull(IDLE_MS + 1)).toEqual(['two'])
  expect(reading.extents.at(-1)!.extent['final']).toBe(true)
})

test('an empty file is ignored until it has content', async () => {
  writeFileSync(at('a.log'), '')
  expect(await reading.pull()).toEqual([])
  appendFileSync(at('a.log'), 'one\n')
  expect(await reading.pull()).toEqual(['one'])
})

test.each([
  ['short', 2],
  ['long', 50],
])('a %s file that is renamed, with lines before and after that nobody has read yet', async (name, n) => {
  const first = long(name, n)
  writeFileSync(at('a.log'), text(first))
  expect(await reading.pull()).toEqual(first)
  appendFileSync(at('a.log'), 'late\n')
  renameSync(at('a.log'), at('a.log.1'))
  writeFileSync(at('a.log'), 'fresh\n')
  expect((await reading.pull()).sort()).toEqual(['fresh', 'late'])
  appendFileSync(at('a.log.1'), 'later\n')
  expect(await reading.pull()).toEqual(['later'])
  await reading.restart()
  expect(await reading.pull()).toEqual([])
})

test.each(['renamed out of the patterns', 'deleted'])(
  'a file that is %s is read to its end, including what its writer adds later',
  async (how) => {
    writeFileSync(at('a.log'), 'one\n')
    await reading.pull()
    const writer = await open(at('a.log'), 'a')
    await writer.write('two\n')
    if (how === 'deleted') rmSync(at('a.log'))
    else renameSync(at('a.log'), at('gone'))
    expect([...(await reading.pull()), ...(await reading.pull(3000))]).toEqual(['two'])
    await writer.write('three\n')
    await writer.close()
    expect([...(await reading.pull(1500)), ...(await reading.pull(1500))]).toEqual(['three'])
  },
)

test.each([
  ['short', 2],
  ['long', 50],
])('copytruncate of a %s file, before everything was read', async (name, n) => {
  const first = long(name, n)
  writeFileSync(at('a.log'), text(first))
  await reading.pull()
  appendFileSync(at('a.log'), 'unread\n')
  copyFileSync(at('a.log'), at('a.log.1'))
  truncateSync(at('a.log'))
  appendFileSync(at('a.log'), 'fresh\n')
  const got = [...(await reading.pull()), ...(await reading.pull())].sort()
  // A short copy cannot be distinguished from another file with the same beginning, so its lines are read again rather than lost.
  if (n === 50) expect(got).toEqual(['fresh', 'unread'])
  else expect(got).toEqual([...first, 'fresh', 'unread'].sort())
})

test('copytruncate with a copy that was seen before the truncation', async () => {
  writeFileSync(at('a.log'), text(long('x', 50)))
  await reading.pull()
  appendFileSync(at('a.log'), 'unread\n')
  copyFileSync(at('a.log'), at('a.log.1'))
  reading.skewMs += 10
  writeFileSync(at('a.log'), 'fresh\n')
  const got = [...(await reading.pull()), ...(await reading.pull())].sort()
  expect(got).toEqual(['fresh', 'unread'])
})

test('a copy is not read twice, and that is reported', async () => {
  writeFileSync(at('a.log'), text(long('x', 50)))
  copyFileSync(at('a.log'), at('b.log'))
  expect((await reading.pull()).length).toBe(50)
  expect(reading.source.status().notices.join()).toMatch(/b\.log begins like .*a\.log and is treated as a copy/)
  appendFileSync(at('a.log'), 'more\n')
  expect(await reading.pull()).toEqual(['more'])
})

test('a file that is truncated and outgrows its old size between two checks is read from the beginning', async () => {
  writeFileSync(at('a.log'), text(['first', 'second']))
  await reading.pull()
  writeFileSync(at('a.log'), text(long('again', 10)))
  expect(await reading.pull()).toEqual(long('again', 10))
})

test('a file that is truncated and begins with the same lines again is another file', async () => {
  for (let round = 0; round < 3; round++) {
    writeFileSync(at('a.log'), 'start\n')
    expect(await reading.pull()).toEqual(['start'])
    appendFileSync(at('a.log'), `round ${round}\n`)
    expect(await reading.pull()).toEqual([`round ${round}`])
  }
  await reading.restart()
  expect(await reading.pull()).toEqual([])
})

test('short files with equal beginnings are each read, even after a restart and when a new one appears', async () => {
  writeFileSync(at('m.log'), 'same\n')
  writeFileSync(at('z.log'), 'same\n')
  expect(await reading.pull()).toEqual(['same', 'same'])
  await reading.restart()
  writeFileSync(at('a.log'), 'same\n')
  appendFileSync(at('z.log'), 'z grows\n')
  appendFileSync(at('m.log'), 'm grows\n')
  expect((await reading.pull()).sort()).toEqual(['m grows', 'same', 'z grows'])
})

test('a deleted short file and a new one with the same beginning on the same inode are two files', async () => {
  writeFileSync(at('a.log'), 'start\n')
  await reading.pull()
  await reading.source.close()
  rmSync(at('a.log'))
  writeFileSync(at('b.log'), 'start\nmore\n')
  reading.open()
  expect(await reading.pull()).toEqual(['start', 'more'])
})

test('two names of one file are one file that keeps growing', async () => {
  writeFileSync(at('a.log'), 'one\n')
  linkSync(at('a.log'), at('b.log'))
  expect(await reading.pull()).toEqual(['one'])
  for (const line of ['two', 'three']) {
    appendFileSync(at('a.log'), `${line}\n`)
    expect(await reading.pull()).toEqual([line])
  }
})

test('gzip is detected from the content, read to its end, and the compressed copy of a file is not read again', async () => {
  const lines = long('x', 50)
  writeFileSync(at('a.log'), text(lines))
  await reading.pull()
  writeFileSync(at('a.log.gz'), gzipSync(text([...lines, 'only packed'])))
  rmSync(at('a.log'))
  const got = []
  for (let i = 0; i < 4; i++) got.push(...(await reading.pull(IDLE_MS + 1)))
  expect(got).toEqual(['only packed'])
  expect(reading.faults).toEqual([])
})

test('gzip that is still being written is not considered broken; broken gzip keeps its complete lines and continues from a complete copy', async () => {
  const lines = long('x', 3000).map((line, i) => `${line}${(i * 7919) % 104_729}`)
  const packed = gzipSync(text(lines))
  writeFileSync(at('a.log.gz'), packed.subarray(0, packed.length / 2))
  expect(await reading.pull(1000)).toEqual([])
  const half = await reading.pull(IDLE_MS + 1)
  expect(half.length).toBeGreaterThan(1000)
  expect(reading.faults).toMatchObject([{ reason: 'compression' }])
  await reading.restart()
  expect(await reading.pull(IDLE_MS + 1)).toEqual([])
  appendFileSync(at('a.log.gz'), packed.subarray(packed.length / 2))
  const rest = [...(await reading.pull()), ...(await reading.pull(IDLE_MS + 1))]
  expect([...half, ...rest]).toEqual(lines)
  expect(reading.faults.length).toBe(1)
})

test('gzip that breaks before its first byte is one fault, and nothing more is read', async () => {
  const head = gzipSync('').subarray(0, 10)
  writeFileSync(at('a.log.gz'), Buffer.concat([head, Buffer.alloc(100, 0xff)]))
  reading.skewMs += IDLE_MS + 1
  const extent = (await reading.source.next()) as FileExtent
  expect(extent).toMatchObject({ isHole: false, from: 0, to: 0, resume: 0 })
  await reading.take(extent)
  expect(await reading.source.next()).toBeUndefined()
  expect(reading.faults).toEqual([{ reason: 'compression', raw: '', length: 0 }])
})

test('gzip followed by zero padding ends there', async () => {
  writeFileSync(at('a.log.gz'), Buffer.concat([gzipSync('one\n'), Buffer.alloc(70_000)]))
  expect(await reading.pull(IDLE_MS + 1)).toEqual(['one'])
  expect(await reading.pull()).toEqual([])
  expect(reading.faults).toEqual([])
})

test('a path that cannot be read is a problem until it can be', async () => {
  const problems = () => reading.source.status().problems
  writeFileSync(at('a.log'), 'one\n')
  expect(await reading.pull()).toEqual(['one'])
  rmSync(at('a.log'))
  symlinkSync('a.log', at('a.log'))
  await reading.pull()
  expect(problems()).toEqual([expect.stringMatching(/a\.log cannot be read: symbolic links form a loop/)])
  rmSync(folder, { recursive: true })
  writeFileSync(folder, 'no folder')
  await reading.pull()
  expect(problems()).toContainEqual(`the folder ${folder} cannot be read: permission denied: '${folder}' (EACCES)`)
  rmSync(folder)
  mkdirSync(folder)
  writeFileSync(at('a.log'), 'two\n')
  expect(await reading.pull()).toEqual(['two'])
  expect(problems()).toEqual([])
})

test('files that disappear are not a problem', async () => {
  mkdirSync(at('folder.log'))
  writeFileSync(at('a.log'), 'one\n')
  expect(await reading.pull()).toEqual(['one'])
  rmSync(folder, { recursive: true })
  expect(await reading.pull()).toEqual([])
  expect(reading.source.status().notices.join()).toMatch(/no file matches/)
})

test('binary and overlong lines: the bytes are preserved, and the long line is reduced to its hash and head', async () => {
  const binary = Buffer.from(Array.from({ length: 256 }, (_, i) => (i === 10 ? 11 : i)))
  writeFileSync(
    at('a.log'),
    Buffer.concat([binary, Buffer.from('\n'), Buffer.alloc(50 * 1024 * 1024, 97), Buffer.from('\nafter\n')]),
  )
  const before = process.memoryUsage().rss
  expect(await reading.pull()).toEqual([binary.toString('latin1'), 'after'])
  expect(reading.faults).toEqual([{ reason: 'too_long', raw: 'a'.repeat(65_536), length: 50 * 1024 * 1024 + 1 }])
  expect(process.memoryUsage().rss - before).toBeLessThan(40 * 1024 * 1024)
})

test('a line of the maximum length is a record whatever its line ending', async () => {
  const full = 'x'.repeat(1024 * 1024 - 2)
  writeFileSync(at('a.log'), `${full}\r\n${full}\n`)
  expect((await reading.pull()).map((line) => line.length)).toEqual([full.length + 1, full.length])
  expect(reading.faults).toEqual([])
})

test('a batch of very short lines is limited by their number', async () => {
  writeFileSync(at('a.log'), 'x\n'.repeat(120_000))
  expect((await reading.pull()).length).toBe(120_000)
  expect(reading.extents.length).toBe(3)
})

test('files take turns', async () => {
  for (const name of ['a', 'b']) writeFileSync(at(`${name}.log`), `${name}\n`.repeat(120_000))
  await reading.pull()
  const order = reading.extents.map(({ extent }) => (extent['path'] as string).at(-5))
  expect(order).toEqual(['a', 'b', 'a', 'b', 'a', 'b'])
})

test('an extent recorded before a restart is read again byte for byte, wherever its file is by then', async () => {
  const lines = long('x', 50)
  writeFileSync(at('a.log'), text(lines.slice(0, 5)))
  writeFileSync(at('b.log'), gzipSync(text(long('packed', 50))))
  await reading.pull(IDLE_MS + 1)
  appendFileSync(at('a.log'), text(lines.slice(5)))
  await reading.pull(IDLE_MS + 1)
  await reading.restart()
  renameSync(at('a.log'), at('a.log.7'))
  writeFileSync(at('a.log'), text(['another']))
  for (const { extent, bytes } of reading.extents) {
    const [chunk] = await reading.source.read(extent)
    expect(Buffer.from(chunk!.bytes).toString('latin1')).toBe(bytes)
  }
})

test('bytes missing since their extent was recorded are reported as truncated', async () => {
  writeFileSync(at('a.log'), text(['one', 'two']))
  reading.skewMs += LOOK_MS
  const extent = (await reading.source.next()) as Extent
  await reading.restart()
  rmSync(at('a.log'))
  await reading.take(extent)
  expect(reading.lines).toEqual([])
  expect(reading.faults).toMatchObject([{ reason: 'truncated' }])
})

type Step = { kind: 'append'; lines: number; partial: boolean } | { kind: 'rotate' | 'pack' | 'restart' | 'pull' }

test('any order of appending, rotating, compressing and restarting yields every line exactly once', async () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        lines: fc.integer({ min: 0, max: 40 }),
        partial: fc.boolean(),
      }),
    },
    { weight: 3, arbitrary: fc.constantFrom<Step>({ kind: 'pull' }, { kind: 'restart' }) },
    { weight: 2, arbitrary: fc.constantFrom<Step>({ kind: 'rotate' }, { kind: 'pack' }) },
  )
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      await reading.source.close()
      folder = mkdtempSync(join(root, `run${++run}-`))
      reading = new Reading(folder)
      const written: string[] = []
      let generation = 0
      let sizeNow = 0
      for (const now of steps) {
        if (now.kind === 'append') {
          const lines = Array.from(
            { length: now.lines },
            (_, i) => `run ${run} generation ${generation} line ${written.length + i} ${'y'.repeat(30)}`,
          )
          written.push(...lines)
          const bytes = text(lines)
          const cut = now.partial ? Math.floor(bytes.length / 2) : bytes.length
          appendFileSync(at('a.log'), bytes.slice(0, cut))
          // Its modification time is the test clock's, so the file is not idle.
          const time = (Date.now() + reading.skewMs) / 1000
          utimesSync(at('a.log'), time, time)
          if (now.partial) await reading.pull()
          appendFileSync(at('a.log'), bytes.slice(cut))
          sizeNow += bytes.length
        } else if (now.kind === 'rotate' && sizeNow > 0) {
          renameSync(at('a.log'), at(`a.log.${++generation}`))
          sizeNow = 0
        } else if (now.kind === 'pack' && sizeNow > 1024) {
          // As logrotate does it: the compressed copy is complete before the file is deleted.
          await reading.pull()
          writeFileSync(at('packing'), gzipSync(text(await linesOf(at('a.log')))))
          renameSync(at('packing'), at(`a.log.${++generation}.gz`))
          rmSync(at('a.log'))
          sizeNow = 0
        } else if (now.kind === 'restart') await reading.restart()
        else await reading.pull()
      }
      for (let i = 0; i < 4; i++) await reading.pull(IDLE_MS * 3)
      expect([...reading.lines].sort()).toEqual([...written].sort())
      expect(reading.faults).toEqual([])
    }),
    { numRuns: 60, seed: 21 },
  )
})

async function linesOf(path: string): Promise<string[]> {
  const handle = await open(path)
  try {
    return (await handle.readFile('utf8')).split('\n').slice(0, -1)
  } finally {
    await handle.close()
  }
}
