import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sendNothing } from '../../util/http/send.ts'
import { file, MissingFile } from './file.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tables-'))
})
afterAll(() => rm(folder, { recursive: true }))

const signal = new AbortController().signal
const provider = (config: object) =>
  file.create(file.config.parse(config), { send: sendNothing, folder, dataFolder: join(folder, 'data') })

test('a file is read once, and again when it has changed', async () => {
  const path = join(folder, 'a.csv')
  await writeFile(path, 'one')
  const { refresh } = provider({ path: 'a.csv' })
  const first = await refresh({}, signal)
  expect(Buffer.from(first!.bytes).toString()).toBe('one')
  expect(await refresh(first!.validators, signal)).toBeUndefined()
  await writeFile(path, 'two')
  await utimes(path, 1, 1)
  expect(Buffer.from((await refresh(first!.validators, signal))!.bytes).toString()).toBe('two')
})

test('a file that does not exist is reported as missing, with its full path', async () => {
  const refresh = provider({ path: 'tables/b.csv', base: 'data_dir' }).refresh({}, signal)
  await expect(refresh).rejects.toThrow(MissingFile)
  await expect(refresh).rejects.toThrow(join(folder, 'data', 'tables', 'b.csv'))
})

test('a file over the limit is refused without being read', async () => {
  await writeFile(join(folder, 'c.csv'), 'x'.repeat(100))
  await expect(provider({ path: 'c.csv', max_bytes: 10 }).refresh({}, signal)).rejects.toThrow(/larger than 10 bytes/)
})

test('a folder cannot be read', async () => {
  await expect(provider({ path: '.' }).refresh({}, signal)).rejects.toThrow(/EISDIR|cannot read/)
})
