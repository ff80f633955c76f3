import { deflateRawSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { unpack } from './content.ts'
import { TableError } from './table.ts'
import { zipOf } from './zip.fixture.ts'
import { contentOf, zipEntries } from './zip.ts'

const list = Buffer.from('192.0.2.1\n192.0.2.2\n')

test.each([
  ['deflated', zipOf({ 'list.txt': list })],
  ['stored', zipOf({ 'list.txt': list }, { stored: true })],
  ['next to folders', zipOf({ 'a/': Buffer.alloc(0), 'a/list.txt': list })],
  ['with a comment', zipOf({ 'list.txt': list }, { comment: 'made by hand' })],
])('one file, %s', async (_, zip) => {
  expect(Buffer.from(await unpack(zip))).toEqual(list)
})

test('the files of an archive with several, each by its name', async () => {
  const entries = zipEntries(zipOf({ 'a.txt': list, 'b.txt': Buffer.from('b') }))
  expect(entries.map(({ name }) => name)).toEqual(['a.txt', 'b.txt'])
  expect(Buffer.from(await contentOf(entries[1]!, 10)).toString()).toBe('b')
})

const whole = zipOf({ 'list.txt': list })
test.each([
  ['several files', zipOf({ a: list, b: list }), /has 2 files.*use the right file/],
  ['no file', zipOf({ 'a/': Buffer.alloc(0) }), /has 0 files/],
  ['a bomb', zipOf({ a: Buffer.alloc(100_000) }), /larger than 1000 bytes/],
  ['too much, not compressed', zipOf({ a: Buffer.alloc(1001) }, { stored: true }), /larger than 1000 bytes/],
  ['encrypted', zipOf({ a: list }, { flags: 1 }), /encrypted/],
  ['another method', zipOf({ a: list }, { method: 12 }), /method 12/],
  ['cut off', whole.subarray(0, whole.length - 30), /broken: it has no directory/],
  ['damaged data', damaged(whole, 40), /broken: list.txt does not have its checksum/],
  ['a directory that points elsewhere', damaged(whole, whole.length - 6), /ZIP archive is broken/],
])('refused: %s', async (_, zip, message) => {
  await expect(unpack(zip, 1000)).rejects.toThrow(message)
})

test('any damage is an error of the table, or changes nothing that is read', async () => {
  for (let at = 4; at < whole.length; at++) {
    const read = await unpack(damaged(whole, at), 1000).catch((error: Error) => error)
    if (read instanceof Error) expect(read, `byte ${at}`).toBeInstanceOf(TableError)
    else expect(Buffer.from(read), `byte ${at}`).toEqual(list)
  }
})

function damaged(zip: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(zip)
  copy[at]! ^= 0xff
  return copy
}

test('the fixture writes what deflate gives', () => {
  expect(zipEntries(whole)[0]!.data).toEqual(deflateRawSync(list))
})
