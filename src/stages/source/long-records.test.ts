import { createHash } from 'node:crypto'
import { appendFileSync, mkdtempSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { IDLE_MS, LOOK_MS, Reading } from './file.fixture.ts'
import { BUSY } from './source.ts'
import type { FileExtent } from './tracked-file.ts'

const MIB = 1024 * 1024
const root = mkdtempSync(join(tmpdir(), 'caracal-long-'))
let folder: string
let reading: Reading
beforeEach(() => {
  folder = mkdtempSync(join(root, 'logs-'))
  reading = new Reading(folder)
})
afterEach(() => reading.source.close())
const at = (name: string) => join(folder, name)

test.each([
  ['a line', 'a'.repeat(MIB), '\n'],
  ['a JSON value on one line', `{"a":"${'b'.repeat(MIB - 8)}",`, '"z":1}\n'],
])('%s of any length is read in turns: other files do not wait for it, and its hash covers all of it', async (_, part, end) => {
  const record = part.startsWith('{') ? part + '"b":1,'.repeat((70 * MIB) / 6) + end : part.repeat(70) + end
  writeFileSync(at('a.log.gz'), gzipSync(`${record}after\n`, { level: 1 }))
  expect(await reading.pull(IDLE_MS * 2)).toEqual(['after'])
  expect(reading.busy).toBeGreaterThanOrEqual(2)
  const sha256 = createHash('sha256').update(record.trimEnd()).digest('hex')
  const [long] = reading.extents.map(({ extent }) => extent as FileExtent).filter(({ oversize }) => oversize)
  expect([reading.faults[0]?.length, long?.sha256]).toEqual(
    part.startsWith('{') ? [record.trimEnd().length, sha256] : [record.length, createHash('sha256').update(record).digest('hex')],
  )
})

test('a long record followed by a hole ends at the hole', async () => {
  writeFileSync(at('a.log'), 'a'.repeat(2 * MIB + 5))
  truncateSync(at('a.log'), 200 * MIB)
  appendFileSync(at('a.log'), 'after\n')
  writeFileSync(at('b.log'), 'other\n')
  expect((await reading.pull()).sort()).toEqual(['after', 'other'])
  expect(reading.faults.map(({ reason, length }) => [reason, length])).toEqual([['too_long', 2 * MIB + 5]])
  expect(reading.lines.at(-1)).toBe('after')
})

test('other files get their turn while a long record is read', async () => {
  writeFileSync(at('a.log'), Buffer.alloc(80 * MIB, 97))
  writeFileSync(at('b.log'), 'other\n')
  reading.skewMs += LOOK_MS
  const first = await reading.source.next()
  expect(first).toMatchObject({ path: at('b.log') })
  await reading.take(first as FileExtent)
  expect(await reading.source.next()).toBe(BUSY)
})

test('after a restart a recorded long record is the same, and only its head is read again', async () => {
  const record = `${'a'.repeat(3 * MIB)}\n`
  writeFileSync(at('a.log'), `${record}after\n`)
  reading.skewMs += LOOK_MS
  const extent = (await reading.source.next()) as FileExtent
  const [before] = await reading.source.read(extent)
  await reading.restart()
  const [after] = await reading.source.read(extent)
  expect(after!.faults).toEqual(before!.faults)
  expect(after!.faults[0]).toMatchObject({ length: record.length, sha256: createHash('sha256').update(record).digest('hex') })
})
