import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { isListed, isRead, sharedFolders } from './layout.ts'

test.each([
  { path: 'rules', listed: true, read: true },
  { path: 'correlation_rules/aws', listed: true, read: true },
  { path: 'team/policies', listed: true, read: true },
  { path: 'team/global_helpers', listed: true, read: true },
  { path: 'global_helpers/deep', listed: false, read: true },
  { path: 'packs', listed: true, read: true },
  { path: 'packs/deep', listed: false, read: false },
  { path: 'schemas/acme', listed: false, read: true },
  { path: 'drafts', listed: false, read: false },
  { path: 'docs/examples', listed: false, read: false },
])('$path is listed: $listed, read: $read', ({ path, listed, read }) => {
  expect([isListed(path), isRead(path)]).toEqual([listed, read])
})

test('shared folders are those of a folder, the working folder, and the folders around them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-layout-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const shared = ['a/rules/global_helpers', 'a/data_models', 'b/global_helpers', 'data_models']
  for (const name of [...shared, 'a/rules/team', 'c/data_models']) mkdirSync(join(folder, name), { recursive: true })
  expect(sharedFolders(join(folder, 'a/rules'), join(folder, 'b')).sort()).toEqual(
    shared.map((name) => join(folder, name)).sort(),
  )
})
