import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { knownMigrations } from '../../state/db.ts'
import { sha256 } from '../../util/hash.ts'
import { version } from '../../util/version.ts'
import { openBackup, restoreBackup } from './restore.ts'

const top = mkdtempSync(join(tmpdir(), 'caracal-restore-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))

const FILES = { 'state.db': 'the state', token: 'secret\n', 'lake/store/a/b/part_1_1_0/data.bin': 'rows', 'tables/t/e.gz': '' }

/** A backup with these files; the manifest says what `change` makes of it. */
function backup(change: (manifest: Record<string, unknown>) => unknown = (manifest) => manifest): string {
  const folder = mkdtempSync(join(top, 'backup-'))
  const files = Object.entries(FILES).map(([path, text]) => {
    mkdirSync(join(folder, 'data', path, '..'), { recursive: true })
    writeFileSync(join(folder, 'data', path), text)
    return { path, bytes: text.length, sha256: sha256(Buffer.from(text)) }
  })
  const manifest = {
    format: 1,
    program: version(),
    created: '2027-03-01T00:00:00Z',
    running: true,
    state: null,
    token: true,
    files,
  }
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(change(manifest)))
  return folder
}

const target = () => join(mkdtempSync(join(top, 'target-')), 'data')

async function restore(folder: string, to: string): Promise<void> {
  await restoreBackup(folder, await openBackup(folder), to)
}

/** What a folder contains, apart from the lock. */
const contents = (folder: string) => readdirSync(folder).filter((name) => !name.startsWith('lock'))

test('every listed file is restored, and nothing else', async () => {
  const folder = backup()
  writeFileSync(join(folder, 'data', 'stray'), 'x')
  const to = target()
  await restore(folder, to)
  for (const [path, text] of Object.entries(FILES)) expect(readFileSync(join(to, path), 'utf8')).toBe(text)
  expect(contents(to).sort()).toEqual(['lake', 'state.db', 'tables', 'token'])
})

test('a backup of this version and of earlier ones is accepted, and one with a newer state is not', async () => {
  const known = await knownMigrations()
  for (const state of [known[0], known.at(-1)])
    await restore(
      backup((manifest) => ({ ...manifest, state })),
      target(),
    )
  const folder = backup((manifest) => ({ ...manifest, program: '9.1.0', state: '9999-later' }))
  await expect(openBackup(folder)).rejects.toThrow(
    /was made by Caracal 9\.1\.0, whose data is newer \(state 9999-later\).*restore it with Caracal 9\.1\.0 or later/,
  )
})

describe('refuses', () => {
  test.each<[string, (folder: string) => void, RegExp]>([
    ['a folder that does not exist', (folder) => rmSync(folder, { recursive: true }), /no such folder/],
    ['a folder that is not a backup', (folder) => rmSync(join(folder, 'manifest.json')), /is not a backup: it has no manifest/],
    [
      'an interrupted backup, even with a manifest',
      (folder) => writeFileSync(join(folder, 'unfinished'), ''),
      /is an unfinished backup/,
    ],
    [
      'a manifest that is cut',
      (folder) => writeFileSync(join(folder, 'manifest.json'), '{"format": 1, '),
      /manifest.json is damaged/,
    ],
    ['a file with another byte', (folder) => writeFileSync(join(folder, 'data/token'), 'secreT\n'), /token has other contents/],
    ['a file that is cut', (folder) => writeFileSync(join(folder, 'data/state.db'), 'the'), /state.db has 3 bytes, not 9/],
    ['a file that is missing', (folder) => rmSync(join(folder, 'data/token')), /lacks a file that it lists/],
    [
      'a link in place of a file',
      (folder) => {
        rmSync(join(folder, 'data/token'))
        symlinkSync('/etc/hostname', join(folder, 'data/token'))
      },
      /cannot be restored/,
    ],
    [
      'a link in place of a folder',
      (folder) => {
        renameSync(join(folder, 'data/tables'), join(folder, 'elsewhere'))
        symlinkSync(join(folder, 'elsewhere'), join(folder, 'data/tables'))
      },
      /data\/tables\/t is not a folder of its own: there is a symbolic link in its path/,
    ],
    [
      'a pipe in place of a file',
      (folder) => {
        rmSync(join(folder, 'data/token'))
        execFileSync('mkfifo', [join(folder, 'data/token')])
      },
      /data\/token is not a regular file/,
    ],
    [
      'a file that is far longer than listed, of which it copies no more than that',
      (folder) => truncateSync(join(folder, 'data/token'), 2 ** 50 / 256),
      /token has more than 7 bytes/,
    ],
  ])('%s', async (_, damage, message) => {
    const folder = backup()
    damage(folder)
    const to = target()
    await expect(restore(folder, to)).rejects.toThrow(message)
    // Nothing is left, so that the next attempt finds an empty folder.
    mkdirSync(to, { recursive: true })
    expect(contents(to)).toEqual([])
    await restore(backup(), to)
  })

  test('a layout of backups that it does not know, whatever else the manifest says', async () => {
    const folder = backup(() => ({ format: 2, program: '3.0.0', contents: [] }))
    await expect(openBackup(folder)).rejects.toThrow(/made by Caracal 3\.0\.0, whose data is newer \(backup layout 2\)/)
  })

  test.each([
    '../outside',
    '/etc/passwd',
    'tables/../../b',
    'tables/./b',
    'tables/',
    'tables//b',
    'lake/store/..',
    '.',
    'tables/a\\b',
    'tables/a\0',
    'token/../python/x',
    'token\n',
    // What a data folder trusts, and what the lake's engine does.
    'python/planted',
    'content-cache/x',
    'caracal.yml',
    'lake/user_defined/function_f.sql',
    'lake/access/users.list',
    'lake/config.xml',
  ])('a manifest that lists %j', async (path) => {
    const folder = backup((manifest) => ({ ...manifest, files: [{ path, bytes: 0, sha256: sha256(Buffer.from('')) }] }))
    await expect(openBackup(folder)).rejects.toThrow(/manifest\.json is damaged: files\.0\.path/)
  })

  test('a data folder that contains anything, of which it changes nothing', async () => {
    const to = target()
    mkdirSync(to)
    writeFileSync(join(to, 'mine'), 'x')
    await expect(restore(backup(), to)).rejects.toThrow(/is not empty \(it contains mine\)/)
    expect(readdirSync(to)).toEqual(['mine'])
  })
})
