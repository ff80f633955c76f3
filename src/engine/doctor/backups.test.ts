import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { knownBackups, rememberBackup } from '../backup/known.ts'
import { backupExamination } from './backups.ts'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'caracal-known-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const NOW = Date.parse('2026-03-20T12:00:00Z')
const finding = () => backupExamination({ data_dir: dataDir, state: { type: 'sqlite' }, backup_max_age_days: 7 }, NOW).run()

test('says when the last backup was made, and warns if it is too old or was never made', () => {
  expect(finding()).toMatchObject({ state: 'skipped' })
  writeFileSync(join(dataDir, 'state.db'), '')
  expect(finding()).toMatchObject({ state: 'warning', message: expect.stringContaining('none') })
  rememberBackup(dataDir, { folder: '/backup/1', created: '2026-03-12T12:00:00Z' })
  expect(finding()).toMatchObject({ state: 'warning', message: expect.stringContaining('8 days ago') })
  rememberBackup(dataDir, { folder: '/backup/2', created: '2026-03-13T12:00:00Z' })
  expect(finding()).toEqual({ state: 'ok', message: 'the last one was made at 2026-03-13T12:00:00Z, in /backup/2' })
})

test('a folder that is used again is in the list once, and a damaged list is empty', () => {
  for (const n of [1, 2, 1]) rememberBackup(dataDir, { folder: `/backup/${n}`, created: '2026-03-14T12:00:00Z' })
  expect(knownBackups(dataDir).map(({ folder }) => folder)).toEqual(['/backup/2', '/backup/1'])
  for (let n = 0; n < 60; n++) rememberBackup(dataDir, { folder: `/backup/${n}`, created: '2026-03-15T12:00:00Z' })
  expect(knownBackups(dataDir)).toHaveLength(50)
  writeFileSync(join(dataDir, 'backups.json'), '[{')
  expect(knownBackups(dataDir)).toEqual([])
})
