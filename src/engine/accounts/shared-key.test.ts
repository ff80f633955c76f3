import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ConfigError } from '../../util/errors.ts'
import { SHARED_KEY, sharedSignInKey } from './shared-key.ts'
import { SIGN_IN_KEY } from './sign-in-key.ts'

let folder: string
let meta: Map<string, string>
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-shared-key-'))
  for (const name of ['one', 'two']) mkdirSync(join(folder, name))
  meta = new Map()
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const keyOf = (name: string, password = 'secret') =>
  sharedSignInKey({
    dataDir: join(folder, name),
    password,
    getMeta: async (key) => meta.get(key),
    setMeta: async (key, value) => void meta.set(key, value),
  })
const stored = (name: string) => readFileSync(join(folder, name, SIGN_IN_KEY), 'utf8').trim()

test('every node has the key of the first one, and the state does not show it', async () => {
  const key = await keyOf('one')
  expect(await keyOf('two')).toBe(key)
  expect([stored('one'), stored('two')]).toEqual([key, key])
  expect(await keyOf('one')).toBe(key)
  expect(meta.get(SHARED_KEY)).not.toContain(key)
})

test('a node with a key of its own takes that of the state', async () => {
  const key = await keyOf('one')
  const shared = meta.get(SHARED_KEY)!
  meta.clear()
  expect(await keyOf('two')).not.toBe(key)
  meta.set(SHARED_KEY, shared)
  expect(await keyOf('two')).toBe(key)
})

test('after the password of the database was changed, a node that has the key shares it again; one that has not says what to copy', async () => {
  const key = await keyOf('one')
  await expect(keyOf('two', 'changed')).rejects.toThrow(ConfigError)
  await expect(keyOf('two', 'changed')).rejects.toThrow(/Copy the file `sign-in-key`/)
  expect(await keyOf('one', 'changed')).toBe(key)
  expect(await keyOf('two', 'changed')).toBe(key)
})

test.each(['', 'a.b.c.d', 'x'])('a damaged key in the state is not taken for one: %j', async (text) => {
  meta.set(SHARED_KEY, text)
  await expect(keyOf('two')).rejects.toThrow(/Copy the file `sign-in-key`/)
})
