import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Versions of a table that stay on disk. */
const KEPT = 3
const SUFFIX = '.content'

/** The folder of one table below `data/tables`. Table names contain no slashes, but may contain characters that some file systems refuse. */
export function tableFolder(tablesFolder: string, table: string): string {
  return join(tablesFolder, encodeURIComponent(table).replaceAll('*', '%2A'))
}

/** File name of a version. */
export function versionFile(version: string): string {
  return `${version}${SUFFIX}`
}

/** Writes content durably to a temporary file and returns its path. Renaming makes it a version. */
export async function writeCandidate(folder: string, bytes: Uint8Array): Promise<string> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, 'candidate.tmp')
  const handle = await open(path, 'w', 0o600)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return path
}

/** Makes a candidate the current version, and removes all but the newest few. */
export async function keepCandidate(folder: string, candidate: string, version: string): Promise<void> {
  const file = versionFile(version)
  await rename(candidate, join(folder, file))
  const names = (await readdir(folder)).filter((name) => name.endsWith(SUFFIX) && name !== file)
  const aged = await Promise.all(names.map(async (name) => ({ name, ms: (await stat(join(folder, name))).mtimeMs })))
  aged.sort((a, b) => b.ms - a.ms)
  await Promise.all(aged.slice(KEPT - 1).map(({ name }) => rm(join(folder, name), { force: true })))
}
