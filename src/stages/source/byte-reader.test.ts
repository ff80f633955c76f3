import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PlainReader } from './byte-reader.ts'
import { openReader } from './open-reader.ts'
import { PackedReader } from './packed-reader.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-reader-'))
const text = Buffer.from(Array.from({ length: 40_000 }, (_, i) => `line ${i} ${(i * 7919) % 104_729}\n`).join(''))
const file = (name: string, bytes: Uint8Array) => {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}
const plain = file('a.log', text)
const packed = file('a.log.gz', gzipSync(text))

test.each([
  ['a plain file', () => new PlainReader(plain)],
  ['a gzip file', () => new PackedReader(packed, 'gzip')],
])('%s gives the bytes of any window, forward and back', async (_, make) => {
  const reader = make()
  const window = fc.record({ from: fc.nat(text.length + 10), length: fc.integer({ min: 1, max: 300_000 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(window, { minLength: 1, maxLength: 5 }), async (windows) => {
      for (const { from, length } of windows) {
        const { bytes, end, fault } = await reader.read(from, length)
        expect(bytes.equals(text.subarray(from, from + length))).toBe(true)
        expect(fault).toBeUndefined()
        if (from + length > text.length) expect(end).toBe(true)
      }
    }),
    { numRuns: 30, seed: 4 },
  )
  await reader.close()
})

test('a truncated gzip file yields everything before the cut, then the fault', async () => {
  const whole = gzipSync(text)
  const reader = new PackedReader(file('cut.gz', whole.subarray(0, whole.length - 2000)), 'gzip')
  const { bytes, end, fault } = await reader.read(0, text.length)
  expect(bytes.length).toBeGreaterThan(text.length * 0.9)
  expect(bytes.equals(text.subarray(0, bytes.length))).toBe(true)
  expect(end).toBe(false)
  expect(fault).toMatch(/unexpected end of file/)
  await reader.close()
})

test('a gzip file with a broken block keeps what was whole before it', async () => {
  const whole = Buffer.from(gzipSync(text, { level: 1 }))
  whole.fill(0xff, whole.length - 5000, whole.length - 4000)
  const reader = new PackedReader(file('broken.gz', whole), 'gzip')
  const { bytes, fault } = await reader.read(0, text.length)
  expect(bytes.length).toBeGreaterThan(text.length * 0.5)
  expect(bytes.subarray(0, 1000).equals(text.subarray(0, 1000))).toBe(true)
  expect(fault).toBeDefined()
  await reader.close()
})

test('compression is detected from the content, not from the name', async () => {
  const isPacked = async (path: string) => {
    const reader = await openReader(path)
    await reader.close()
    return reader.isPacked
  }
  expect(await isPacked(file('named.gz', Buffer.from('plain text')))).toBe(false)
  expect(await isPacked(file('unnamed.log', gzipSync('x')))).toBe(true)
  expect(await isPacked(file('empty', Buffer.alloc(0)))).toBe(false)
})

test('a pipe in place of a file is refused at once, with or without a writer', async () => {
  const path = join(folder, 'pipe.log')
  execFileSync('mkfifo', [path])
  await expect(openReader(path)).rejects.toThrow(/pipe\.log' is no longer a file/)
  await expect(new PlainReader(path).read(0, 10)).rejects.toThrow(/no longer a file/)
})
