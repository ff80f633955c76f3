import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ContentWatch } from './watch.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-watch-'))
let watch: ContentWatch | undefined
afterEach(() => {
  watch?.close()
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
})

/** Resolves with the number of reports after the first one. */
async function watching(lookMs: number, folders = [folder]): Promise<{ seen: () => number }> {
  let reports = 0
  watch = new ContentWatch(folders, { quietMs: 20, lookMs })
  await watch.start(() => reports++)
  return { seen: () => reports }
}

test('a change below the folder is reported, several at once as one', async () => {
  mkdirSync(join(folder, 'deep'))
  const { seen } = await watching(3_600_000)
  for (const name of ['a.yml', 'b.py', 'deep/c.yml']) writeFileSync(join(folder, name), 'x')
  await expect.poll(seen).toBe(1)
})

test('a folder that is created later is found with its contents', async () => {
  const later = join(folder, 'later')
  const { seen } = await watching(20, [later])
  mkdirSync(later)
  writeFileSync(join(later, 'a.yml'), 'x')
  await expect.poll(seen).toBeGreaterThan(0)
})

test('files of tools and hidden ones are skipped', async () => {
  mkdirSync(join(folder, '.git'))
  mkdirSync(join(folder, '__pycache__'))
  const { seen } = await watching(20)
  writeFileSync(join(folder, '.git/index'), 'x')
  writeFileSync(join(folder, '__pycache__/a.pyc'), 'x')
  writeFileSync(join(folder, '.a.yml.swp'), 'x')
  writeFileSync(join(folder, 'a.yml'), 'x')
  await expect.poll(seen).toBe(1)
})

test('changes between the note and the start are reported', async () => {
  let reports = 0
  watch = new ContentWatch([folder], { quietMs: 20, lookMs: 3_600_000 })
  await watch.note()
  writeFileSync(join(folder, 'a.yml'), 'x')
  await watch.start(() => reports++)
  await expect.poll(() => reports).toBe(1)
})

test.each([20, 3_600_000])(
  'folders and files that are linked are watched where they are (looked at every %d ms)',
  async (lookMs) => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'caracal-watch-linked-'))
    mkdirSync(join(elsewhere, 'team/deep'), { recursive: true })
    writeFileSync(join(elsewhere, 'one.yml'), 'x')
    symlinkSync(join(elsewhere, 'team'), join(folder, 'team'))
    symlinkSync(join(elsewhere, 'one.yml'), join(folder, 'one.yml'))
    symlinkSync(folder, join(elsewhere, 'team/circle'))
    const { seen } = await watching(lookMs)
    writeFileSync(join(elsewhere, 'team/deep/a.yml'), 'x')
    await expect.poll(seen).toBe(1)
    writeFileSync(join(elsewhere, 'one.yml'), 'longer')
    await expect.poll(seen).toBe(2)
    rmSync(elsewhere, { recursive: true })
  },
)

test('a folder that is not content is skipped, those next to it are not', async () => {
  mkdirSync(join(folder, 'data/lake'), { recursive: true })
  let reports = 0
  watch = new ContentWatch([folder], { quietMs: 20, lookMs: 20, without: [join(folder, 'data')] })
  await watch.start(() => reports++)
  writeFileSync(join(folder, 'data/lake/state.yml'), 'x')
  writeFileSync(join(folder, 'database.yml'), 'x')
  await expect.poll(() => reports).toBe(1)
  writeFileSync(join(folder, 'data/lake/state.yml'), 'longer')
  writeFileSync(join(folder, 'a.yml'), 'x')
  await expect.poll(() => reports).toBe(2)
})
