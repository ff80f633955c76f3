import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { packageRoot } from '../../../util/entry.ts'
import { buildTable } from '../build.ts'
import { defineTable } from '../definition.ts'
import type { MemoryTable } from './memory-table.ts'

function build(match: string, rows: readonly object[]) {
  const definition = defineTable(
    { AnalysisType: 'lookup_table', LookupName: 't', Filename: 'x', Match: match, LogTypeMap: { PrimaryKey: 'key' } },
    { file: '/t.yml' },
  )
  return buildTable(definition, undefined, { bytes: Buffer.from(JSON.stringify(rows)) }) as Promise<MemoryTable>
}

const cases = [
  ['exact', 'a', 'b'],
  ['exact', 'ключ', 'клю'],
  ['ignore_case', 'Abc', 'abd'],
  ['ip', '192.0.2.1', '192.0.2.2'],
  ['cidr', '2001:db8::/32', '2001:db9::/32'],
  ['port', '443', '80'],
] as const

test.each(cases)('another thread reads a table of %s keys in the same memory', async (match, key, other) => {
  const table = await build(match, [{ key, note: 'one' }])
  const asked = key.replace(/\/\d+$/, '')
  const missing = other.replace(/\/\d+$/, '')
  const found = await inThread(table, [asked, missing])
  expect(found).toEqual([{ key, note: 'one' }, null])
  // The same memory: a change here is visible there.
  const { bytes } = table.image.rows
  expect(bytes.buffer).toBeInstanceOf(SharedArrayBuffer)
  bytes[bytes.indexOf('o'.charCodeAt(0))] = 'O'.charCodeAt(0)
  expect(await inThread(table, [asked])).toEqual([{ key, note: 'One' }])
})

test('a new version replaces the old one completely', async () => {
  const [old, next] = await Promise.all([build('ip', [{ key: '192.0.2.1' }]), build('ip', [{ key: '192.0.2.2' }])])
  expect([old.get('192.0.2.1'), old.get('192.0.2.2')]).toEqual([{ key: '192.0.2.1' }, undefined])
  expect([next.get('192.0.2.1'), next.get('192.0.2.2')]).toEqual([undefined, { key: '192.0.2.2' }])
  expect(old.version).not.toBe(next.version)
})

const ROWS = 50_000
const hex = (n: number) => n.toString(16)

test.each([
  ['ip', (i: number) => `${1 + (i % 223)}.${(i * 7919) & 255}.${(i >> 8) & 255}.${i & 255}`],
  ['cidr', (i: number) => `${1 + (i % 223)}.${(i * 7919) & 255}.${(i >> 8) & 255}.${i & 255}/${8 + (i % 25)}`],
  ['ip', (i: number) => `2001:${hex((i * 7919) & 0xffff)}:${hex(i)}::${hex(i & 255)}`],
  ['cidr', (i: number) => `2001:${hex((i * 7919) & 0xffff)}:${hex(i)}::/${32 + (i % 33)}`],
])('%s keys take at most 100 bytes a row and 2 MiB a table', async (match, keyOf) => {
  const table = await build(
    match,
    Array.from({ length: ROWS }, (_, i) => ({ key: keyOf(i) })),
  )
  expect(table.bytes).toBeLessThan(ROWS * 100 + 2 * 1024 * 1024)
})

/** The findings of a separate thread, which runs compiled code. */
function inThread(table: MemoryTable, keys: readonly string[]): Promise<unknown> {
  const file = join(packageRoot(), 'dist/stages/enrich/tables/memory-table.js')
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(${JSON.stringify(file)}).then(({ MemoryTable }) => {
      const table = new MemoryTable(workerData.image, undefined)
      parentPort.postMessage(workerData.keys.map((key) => table.get(key) ?? null))
    })`
  const worker = new Worker(code, { eval: true, workerData: { image: table.image, keys } })
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
}
