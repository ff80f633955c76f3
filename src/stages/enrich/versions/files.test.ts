import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { tableFolder } from './files.ts'

test('each table has a folder of its own that every file system allows, however its name is escaped', () => {
  const names = ['hosts', 'a*b', 'a b', `${'表'.repeat(199)}a`, `${'表'.repeat(199)}b`, 'a'.repeat(200)]
  const folders = names.map((name) => basename(tableFolder('/data/tables', name)))
  for (const folder of folders) expect(folder).toMatch(/^[\w.!~'()%-]{1,255}$/)
  expect(new Set(folders).size).toBe(names.length)
})
