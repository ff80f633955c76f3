import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { IDLE_MS, Reading } from './file.fixture.ts'

const root = mkdtempSync(join(tmpdir(), 'caracal-alike-'))
let folder: string
let reading: Reading
beforeEach(() => {
  folder = mkdtempSync(join(root, 'logs-'))
  reading = new Reading(folder)
})
afterEach(() => reading.source.close())

const lines = (n: number) => Array.from({ length: n }, (_, i) => `head ${i} ${'x'.repeat(60)}`)
const text = (list: readonly string[]) => list.map((line) => `${line}\n`).join('')

/** Writes the files and returns the lines that are unique to one of them. */
function write(count: number, content: (only: string) => readonly string[]): string[] {
  const only = Array.from({ length: count }, (_, i) => `only in ${String(i).padStart(4, '0')}`)
  for (const [i, line] of only.entries()) writeFileSync(join(folder, `${i}.log`), text(content(line)))
  return only
}

test('of many files with the same beginning, the first are read before the last are identified, and each is read once', async () => {
  const only = write(300, (line) => [...lines(25), line, ...lines(5)])
  expect(await reading.source.next()).toBeDefined()
  const { backlogBytes } = reading.source.status()
  expect(backlogBytes).toBeGreaterThan(0)
  expect(backlogBytes).toBeLessThan(0.8 * 300 * text([...lines(30), only[0]!]).length)
  const got: string[] = []
  for (let i = 0; i < 4; i++) got.push(...(await reading.pull(IDLE_MS)))
  expect(got.filter((line) => line.startsWith('only in')).sort()).toEqual(only)
  expect(got.length).toBe(300 * 31)
})

test.each([
  ['end differently', (line: string) => [...lines(20), line]],
  ['are of different lengths', (line: string) => [...lines(20), line, ...lines(Number(line.slice(-4)) % 50)]],
])('hundreds of files that begin alike and %s cost an opening each, not one a pair', async (_, content) => {
  const only = write(300, content)
  const got: string[] = []
  // The number of files identified per check depends on this machine's speed.
  for (let looks = 0; looks < 100 && got.length < only.length; looks++)
    got.push(...(await reading.pull(IDLE_MS)).filter((line) => line.startsWith('only in')))
  expect(got.sort()).toEqual(only)
})
