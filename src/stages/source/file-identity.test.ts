import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { IDLE_MS, Reading } from './file.fixture.ts'
import type { FileCursor, FileExtent } from './tracked-file.ts'

const root = mkdtempSync(join(tmpdir(), 'caracal-identity-'))
let folder: string
let reading: Reading
beforeEach(() => {
  folder = mkdtempSync(join(root, 'logs-'))
  reading = new Reading(folder)
})
afterEach(() => reading.source.close())
const at = (name: string) => join(folder, name)
const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('')
const lines = (name: string, n: number, width = 60) => Array.from({ length: n }, (_, i) => `${name} ${i} ${'x'.repeat(width)}`)
/** Reads everything available, including what must be idle first. */
const all = async () => {
  const got = []
  for (let i = 0; i < 4; i++) got.push(...(await reading.pull(IDLE_MS * 2)))
  return got
}

const head = lines('head', 30)

test('a hole of any size is skipped over several turns, so that other files and sources do not wait for it', async () => {
  writeFileSync(at('a.log'), 'before\n')
  truncateSync(at('a.log'), 300 * 1024 * 1024)
  appendFileSync(at('a.log'), 'after\n')
  writeFileSync(at('b.log'), text(['other']))
  expect((await all()).sort()).toEqual(['after', 'before', 'other'])
  const order = reading.extents.map(({ extent }) => extent as FileExtent)
  expect(Math.max(...order.map(({ from, to }) => to - from))).toBeLessThan(64 * 1024 * 1024)
  expect(order.findIndex(({ path }) => path === at('b.log'))).toBeLessThan(3)
  expect(reading.lines.at(-1)).toBe('after')
})

test('a new file that begins like one that was deleted is read from the beginning', async () => {
  writeFileSync(at('a.log'), text([...head, 'old']))
  expect(await all()).toEqual([...head, 'old'])
  rmSync(at('a.log'))
  await all()
  writeFileSync(at('b.log'), text([...head, 'new', 'newer']))
  expect(await all()).toEqual([...head, 'new', 'newer'])
})

test('a file next to one with the same beginning is read, whichever is longer', async () => {
  writeFileSync(at('a.log'), text([...head, 'a']))
  await all()
  writeFileSync(at('b.log'), text([...head, 'b', 'more']))
  writeFileSync(at('c.log'), text([...head.slice(0, -1), 'c']))
  expect((await all()).sort()).toEqual([...head, 'b', 'more', ...head.slice(0, -1), 'c'].sort())
  expect(reading.source.status().notices).toEqual([])
})

test.each(['read again', 'stopped meanwhile'])(
  'a file that is truncated and rewritten with the same beginning, %s',
  async (how) => {
    writeFileSync(at('a.log'), text([...head, 'old 1', 'old 2']))
    await all()
    if (how === 'stopped meanwhile') await reading.source.close()
    writeFileSync(at('a.log'), text([...head, 'new 1', 'new 2', 'new 3']))
    if (how === 'stopped meanwhile') reading.open()
    expect(await all()).toEqual([...head, 'new 1', 'new 2', 'new 3'])
    await reading.restart()
    expect(await all()).toEqual([])
  },
)

test('a long file that differs only in its last block is another one', async () => {
  const long = lines('long', 4000, 1000)
  writeFileSync(at('a.log'), text([...long, 'old']))
  await all()
  await reading.source.close()
  writeFileSync(at('a.log'), text([...long, 'new', 'newer']))
  reading.open()
  expect((await all()).length).toBe(4002)
})

test('a long file that differs only in a middle block is a new one if its inode differs', async () => {
  const long = lines('long', 4000, 1000)
  writeFileSync(at('a.log'), text(long))
  await all()
  rmSync(at('a.log'))
  await all()
  writeFileSync(at('b.log'), text([...long.slice(0, 2000), 'different', ...long.slice(2000)]))
  writeFileSync(at('c.log'), text([...long, 'tail']))
  expect((await all()).length).toBe(4001 + 1)
})

test('the unread rest of a file is read after it was moved or compressed while the source was not running', async () => {
  for (const how of ['moved', 'packed', 'copied and cut']) {
    const own = lines(how, 30)
    const path = at(`${how}.log`)
    writeFileSync(path, text(own))
    expect(await all()).toEqual(own)
    await reading.source.close()
    appendFileSync(path, 'tail\n')
    if (how === 'packed') writeFileSync(at(`${how}.log.gz`), gzipSync(readFileSync(path)))
    else copyFileSync(path, at(`0-${how}.log`))
    if (how === 'copied and cut') writeFileSync(path, 'next\n')
    else rmSync(path)
    reading.open()
    expect((await all()).sort()).toEqual(how === 'copied and cut' ? ['next', 'tail'] : ['tail'])
  }
})

test('a copy is skipped as long as it equals the beginning of its original, and health says so', async () => {
  writeFileSync(at('a.log'), text(head))
  await all()
  // A copy in progress, then complete, then older than its original.
  writeFileSync(at('b.log'), text(head).slice(0, 1500))
  expect(await all()).toEqual([])
  copyFileSync(at('a.log'), at('b.log'))
  expect(await all()).toEqual([])
  appendFileSync(at('a.log'), 'more\n')
  expect(await all()).toEqual(['more'])
  expect(reading.source.status().notices.join()).toMatch(
    /b\.log begins like .*a\.log.*copy of it because every byte is equal: not read twice/,
  )
  appendFileSync(at('b.log'), 'other\n')
  expect(await all()).toEqual([...head, 'other'])
  expect(reading.source.status().notices).toEqual([])
})

test('a copy is not read if its original is gone but was read further', async () => {
  writeFileSync(at('a.log'), text(head))
  copyFileSync(at('a.log'), at('b.log'))
  expect(await all()).toEqual(head)
  appendFileSync(at('a.log'), 'more\n')
  expect(await all()).toEqual(['more'])
  rmSync(at('a.log'))
  expect(await all()).toEqual([])
})

test('cursors of earlier versions resume where they were', async () => {
  writeFileSync(at('short.log'), 'short\n')
  writeFileSync(at('long.log'), text(head))
  writeFileSync(at('moved.log'), text(lines('moved', 30)))
  writeFileSync(at('other.log'), text(lines('other', 30)))
  writeFileSync(at('packed.log'), text(lines('packed', 30)))
  await all()
  const places = reading.rowIds.size
  await reading.source.close()
  for (const cursor of reading.cursors.values()) {
    const { print: _, framing: __, dev: ___, ...old } = cursor.value as FileCursor
    reading.cursors.set(cursor.place, { ...cursor, value: old })
  }
  appendFileSync(at('long.log'), 'long tail\n')
  copyFileSync(at('moved.log'), at('moved.log.1'))
  appendFileSync(at('moved.log.1'), 'moved tail\n')
  rmSync(at('moved.log'))
  writeFileSync(at('packed.log.gz'), gzipSync(`${readFileSync(at('packed.log'))}packed tail\n`))
  rmSync(at('packed.log'))
  // It begins like the file that is gone, but no record ended at the offset up to which that one was read.
  writeFileSync(at('other.log.1'), text([...lines('other', 29), 'x'.repeat(200), 'y']))
  rmSync(at('other.log'))
  reading.open()
  const expected = ['long tail', 'moved tail', 'packed tail', ...lines('other', 29), 'x'.repeat(200), 'y']
  expect((await all()).sort()).toEqual(expected.sort())
  expect(reading.rowIds.size).toBe(places + expected.length)
  await reading.restart()
  appendFileSync(at('long.log'), 'and on\n')
  expect(await all()).toEqual(['and on'])
})

interface Op {
  readonly kind: (typeof KINDS)[number]
  readonly which: number
  readonly n: number
}
const KINDS = [
  'append',
  'pull',
  'restart',
  'stopped', // and restarted after the next operation
  'create',
  'rename',
  'copy',
  'copytruncate',
  'truncate',
  'gzip',
  'delete',
  'recreate',
  'beside',
] as const

/** The folder's contents and what must have been read of it, recorded without any knowledge of how files are identified. */
class World {
  /** Name → its lines, the number of lines that the source has seen, and whether it has been copied. */
  readonly files = new Map<string, { lines: string[]; seen: number; hasCopy: boolean }>()
  /** Line → minimum and maximum number of times that it must have been read. */
  readonly counts = new Map<string, [number, number]>()
  readonly #skew: () => number
  #names = 0
  #lines = 0

  constructor(skew: () => number) {
    this.#skew = skew
  }

  apply({ kind, which, n }: Op): void {
    const names = [...this.files.keys()]
    const name = names[which % Math.max(1, names.length)]
    const file = this.files.get(name ?? '')
    if (kind === 'create' || name === undefined || !file) {
      this.#write(this.#newName(), this.#new(20 + n))
      return
    }
    // Less than a KiB that was read is not evidence: see docs/decisions/0019-which-file-is-which.md.
    const isKnown = Buffer.byteLength(text(file.lines.slice(0, file.seen))) >= 1024
    if (kind === 'append') this.#append(name, this.#new(n))
    else if (kind === 'rename') {
      const to = this.#newName()
      renameSync(at(name), at(to))
      this.files.delete(name)
      this.files.set(to, file)
    } else if (kind === 'copy' && isKnown) {
      copyFileSync(at(name), at(this.#newName()))
      file.hasCopy = true
    } else if (file.hasCopy) return
    else if (kind === 'copytruncate' && isKnown) {
      copyFileSync(at(name), at(this.#newName()))
      truncateSync(at(name))
      this.files.set(name, { lines: [], seen: 0, hasCopy: true })
      this.files.delete(name)
    } else if (kind === 'gzip' && isKnown) {
      writeFileSync(at('packing'), gzipSync(text(file.lines)))
      renameSync(at('packing'), at(`${this.#newName()}.gz`))
      rmSync(at(name))
      this.files.delete(name)
    } else if (kind === 'truncate') {
      this.#lose(file)
      truncateSync(at(name))
      this.#write(name, this.#new(1 + (n % 5)))
    } else if (kind === 'delete') {
      this.#lose(file)
      rmSync(at(name))
      this.files.delete(name)
    } else if (kind === 'recreate' && file.seen > 25) {
      this.#lose(file)
      // In place on the same inode, or a new file; either way it differs from what was read.
      if (n % 2 === 0) rmSync(at(name))
      this.#write(name, [...file.lines.slice(0, 22), ...this.#new(n + 20)])
    } else if (kind === 'beside' && file.lines.length > 25) {
      this.#write(this.#newName(), [...file.lines.slice(0, 22), ...this.#new(n + 1)])
    }
  }

  /** The source has checked and read everything. */
  sawAll(): void {
    for (const file of this.files.values()) file.seen = file.lines.length
  }

  #newName(): string {
    return `${'zmab'[this.#names % 4]}${++this.#names}.log`
  }

  #new(n: number): string[] {
    return Array.from({ length: n }, () => `line ${++this.#lines} ${'y'.repeat(60)}`)
  }

  #expect(added: readonly string[]): void {
    for (const line of added) {
      const [least, most] = this.counts.get(line) ?? [0, 0]
      this.counts.set(line, [least + 1, most + 1])
    }
  }

  #write(name: string, content: string[]): void {
    writeFileSync(at(name), text(content))
    this.#touch(name)
    this.files.set(name, { lines: content, seen: 0, hasCopy: false })
    this.#expect(content)
  }

  #append(name: string, added: string[]): void {
    appendFileSync(at(name), text(added))
    this.#touch(name)
    this.files.get(name)!.lines.push(...added)
    this.#expect(added)
  }

  /** The unread rest of a deleted file may still be read from an open file, or not at all. */
  #lose({ lines: content, seen }: { lines: string[]; seen: number }): void {
    for (const line of content.slice(seen)) {
      const [least, most] = this.counts.get(line)!
      this.counts.set(line, [least - 1, most])
    }
  }

  #touch(name: string): void {
    const seconds = (Date.now() + this.#skew()) / 1000
    utimesSync(at(name), seconds, seconds)
  }
}

test('whatever happens to files, each record is read as often as it was written', async () => {
  const op = fc.record<Op>({
    kind: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom<Op['kind']>('append', 'pull') },
      { weight: 5, arbitrary: fc.constantFrom(...KINDS) },
    ),
    which: fc.nat({ max: 20 }),
    n: fc.integer({ min: 1, max: 40 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(op, { maxLength: 40 }), async (ops) => {
      await reading.source.close()
      folder = mkdtempSync(join(root, 'run-'))
      reading = new Reading(folder)
      const world = new World(() => reading.skewMs)
      let isStopped = false
      for (const now of ops) {
        if (now.kind === 'stopped' || now.kind === 'restart') {
          await reading.source.close()
          isStopped = true
          if (now.kind === 'stopped') continue
        } else if (now.kind !== 'pull') world.apply(now)
        if (isStopped && now.kind !== 'append') {
          reading.open()
          isStopped = false
        }
        if (now.kind !== 'pull' || isStopped) continue
        await reading.pull()
        world.sawAll()
      }
      if (isStopped) reading.open()
      for (let i = 0; i < 5; i++) await reading.pull(IDLE_MS * 3)
      const seen = new Map<string, number>()
      for (const line of reading.lines) seen.set(line, (seen.get(line) ?? 0) + 1)
      const wrong = [...world.counts].filter(([line, [least, most]]) => {
        const times = seen.get(line) ?? 0
        return times < least || times > most
      })
      expect(wrong.map(([line, range]) => [line.slice(0, 12), range, seen.get(line) ?? 0])).toEqual([])
      expect([...seen.keys()].filter((line) => !world.counts.has(line))).toEqual([])
    }),
    { numRuns: 80, seed: 2026 },
  )
})
