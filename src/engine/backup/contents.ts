import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { HISTORY_FILE } from '../../stages/enrich/versions/history.ts'
import { copySqlite } from '../../state/copy.ts'
import { StorageError } from '../../util/errors.ts'
import { SIGN_IN_KEY } from '../accounts/sign-in-key.ts'
import { copyFiles, filesBelow, listFile, needRoom, type OnCopied } from './copy.ts'
import type { ListedFile } from './manifest.ts'

/** In this order, which matters while the program runs: what the state has not committed is still in the spool. */
const DATABASES = ['state.db', 'spool.db'] as const

/** The lake's definitions and rows. The rest is what the engine creates for itself: snapshots, temporary files, its lock, dropped tables. */
const OF_LAKE = /^(?:metadata|store)\//

const ATTEMPTS = 10

/** Copies state and spool from a data folder into another folder. Throws `StorageError`. Synchronous for the most part. */
export async function copyDatabases(dataDir: string, to: string): Promise<void> {
  const present = DATABASES.filter((name) => existsSync(join(dataDir, name)))
  const sizes = await Promise.all(present.map(async (name) => (await stat(join(dataDir, name))).size))
  await needRoom(to, total(sizes), 'A copy of the state and the spool')
  for (const name of present) copySqlite(join(dataDir, name), join(to, name))
}

/**
 * Copies everything else that a data folder needs and that is not derived from content: the token, the key of sign-ins, versions of tables, and the lake from
 * a folder with its files; `undefined`: it is not on this machine. Returns all files of the copy, including the databases that are there already. Rejects with the file system's
 * error, or with `StorageError` if there is not enough room.
 */
export async function copyRest(
  dataDir: string,
  lake: string | undefined,
  to: string,
  onCopied: OnCopied,
): Promise<{ files: ListedFile[]; token: boolean }> {
  const ofLake = lake === undefined ? [] : (await filesBelow(lake)).filter((path) => OF_LAKE.test(path))
  await needRoom(
    to,
    total(await Promise.all(ofLake.map(async (path) => (await stat(join(lake!, path))).size))),
    'A copy of the lake',
  )
  const databases = await Promise.all(DATABASES.filter((name) => existsSync(join(to, name))).map((name) => listFile(to, name)))
  for (const { bytes } of databases) onCopied(bytes)
  const token = existsSync(join(dataDir, 'token')) ? ['token'] : []
  // Without it, cookies and second factors of the restored state would be worthless.
  const key = existsSync(join(dataDir, SIGN_IN_KEY)) ? [SIGN_IN_KEY] : []
  const files = [
    ...databases,
    ...(await copyFiles([...token, ...key], dataDir, to, onCopied)),
    ...(await copyTables(join(dataDir, 'tables'), join(to, 'tables'), onCopied)),
    ...(lake === undefined ? [] : below('lake', await copyFiles(ofLake, lake, join(to, 'lake'), onCopied))),
  ]
  return { files, token: token.length > 0 }
}

async function copyTables(from: string, to: string, onCopied: OnCopied): Promise<ListedFile[]> {
  if (!existsSync(from)) return []
  const files: ListedFile[] = []
  for (const entry of await readdir(from, { withFileTypes: true }))
    if (entry.isDirectory()) {
      const copied = await copyTable(join(from, entry.name), join(to, entry.name), onCopied)
      files.push(...below(`tables/${entry.name}`, copied))
    }
  return files
}

/** Copies a table's versions. If they change meanwhile, all are copied again, so that the list and the files fit together. */
async function copyTable(from: string, to: string, onCopied: OnCopied): Promise<ListedFile[]> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    await rm(to, { recursive: true, force: true })
    await mkdir(to, { recursive: true, mode: 0o700 })
    const before = await listOf(from)
    try {
      const paths = (await filesBelow(from)).filter((path) => !path.endsWith('.tmp'))
      const copied = await copyFiles(paths, from, to)
      if ((await listOf(from)) !== before) continue
      for (const { bytes } of copied) onCopied(bytes)
      return copied
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  throw new StorageError(`The versions of a table change faster than they can be copied (${from}). Try again later.`)
}

/** The text of the list of a table's versions; empty if it has none yet. */
async function listOf(folder: string): Promise<string> {
  return readFile(join(folder, HISTORY_FILE), 'utf8').catch(() => '')
}

function below(folder: string, files: readonly ListedFile[]): ListedFile[] {
  return files.map((file) => ({ ...file, path: `${folder}/${file.path}` }))
}

function total(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + size, 0)
}
