import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { RowIndex } from './row-index.ts'
import { rowsFrom } from './rows.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-row-index-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let made = 0
function fileOf(rows: readonly string[]): string {
  const file = join(folder, `${made++}.rows`)
  writeFileSync(file, rows.map((row) => `${row}\n`).join(''))
  return file
}

test('a page that begins with any row has the rows that a list has there', async () => {
  const rowOf = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => JSON.stringify([text]))
  const rows = fc.array(rowOf, { maxLength: 300, size: 'max' })
  await fc.assert(
    fc.asyncProperty(rows, fc.nat(310), fc.integer({ min: 1, max: 100 }), async (all, row, limit) => {
      const page = await rowsFrom(new RowIndex(), fileOf(all), row, limit)
      expect(page.rows).toEqual(all.slice(row, row + limit))
      expect(page.next === undefined).toBe(row + limit >= all.length)
    }),
    { seed: 14, numRuns: 100 },
  )
})

test('rows larger than what is read at a time are found', async () => {
  const all = Array.from({ length: 130 }, (_, n) => JSON.stringify([n, 'x'.repeat(n % 50 === 0 ? 3_000_000 : 10)]))
  const index = new RowIndex()
  const file = fileOf(all)
  for (const row of [0, 1, 51, 64, 101, 129]) expect((await rowsFrom(index, file, row, 1)).rows).toEqual([all[row]])
})

test('a file that is not there is looked for again', async () => {
  const index = new RowIndex()
  const file = join(folder, 'later.rows')
  await expect(rowsFrom(index, file, 1, 1)).rejects.toThrow('ENOENT')
  writeFileSync(file, '[1]\n[2]\n')
  expect((await rowsFrom(index, file, 1, 1)).rows).toEqual(['[2]'])
})
