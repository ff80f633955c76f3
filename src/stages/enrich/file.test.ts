import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sendNothing } from '../../util/http/send.ts'
import { noKeys } from './api-keys.ts'
import { file, MissingFile } from './file.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tables-'))
})
afterAll(() => rm(folder, { recursive: true }))

const signal = new AbortController().signal
const provider = (config: object) =>
  file.create(file.config.parse(config), {
    send: sendNothing,
    keys: noKeys,
    table: 'list',
    folder,
    dataFolder: join(folder, 'data'),
  })

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

test('content that was fetched into the data folder reads no file but those next to it and below tables', async () => {
  const data = join(folder, 'data')
  const fetched = join(data, 'content-git', 'one', 'tree')
  await mkdir(fetched, { recursive: true })
  await mkdir(join(data, 'tables'), { recursive: true })
  for (const path of [
    join(data, 'token'),
    join(data, 'tables', 'own.csv'),
    join(fetched, 'beside.csv'),
    join(folder, 'host.csv'),
  ])
    await writeFile(path, 'x')
  await symlink(join(data, 'token'), join(data, 'tables', 'link.csv'))
  const read = async (path: string, base = 'definition') =>
    file
      .create(file.config.parse({ path, base }), {
        send: sendNothing,
        keys: noKeys,
        table: 'list',
        folder: fetched,
        dataFolder: data,
      })
      .refresh({}, signal)
      .then(
        () => 'read',
        (error: Error) => (/content from git may read/.test(error.message) ? 'refused' : error.message),
      )
  expect(await read('beside.csv')).toBe('read')
  expect(await read('tables/own.csv', 'data_dir')).toBe('read')
  for (const path of [join(folder, 'host.csv'), '/etc/hostname', '../../../token', join(data, 'token')])
    expect([path, await read(path)]).toEqual([path, 'refused'])
  for (const path of ['token', 'tables/link.csv']) expect([path, await read(path, 'data_dir')]).toEqual([path, 'refused'])
})
