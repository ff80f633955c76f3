import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { constants, gzip, type ZlibOptions } from 'node:zlib'
import { hash16 } from '../../../util/hash.ts'

/** Every version's content, as `<hash>.gz`: the same content on two days is one file. */
export const CONTENT_SUFFIX = '.gz'

const pack = promisify<Uint8Array, ZlibOptions, Buffer>(gzip)

/** What file systems allow as one name. */
const MAX_NAME = 255

/**
 * The folder of one table below `data/tables`. Table names contain no slashes, but may contain characters that some file systems refuse,
 * and in escaped form they may be too long.
 */
export function tableFolder(tablesFolder: string, table: string): string {
  const name = encodeURIComponent(table).replaceAll('*', '%2A')
  return join(tablesFolder, name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 17)}~${hash16(table)}` : name)
}

/** The file name of a version's content. */
export function contentFile(version: string): string {
  return `${hashOf(version)}${CONTENT_SUFFIX}`
}

/** The hash of the content at the end of a version. */
export function hashOf(version: string): string {
  return version.slice(version.lastIndexOf('-') + 1)
}

/** Compressed by more than this, content is stored as it is: it would be taken for a bomb when it is read again. */
const MOST_RATIO = 100

/** Content compressed with gzip. */
export async function packed(unpacked: Uint8Array): Promise<Uint8Array> {
  const small = await pack(unpacked, {})
  return small.length * MOST_RATIO < unpacked.length ? pack(unpacked, { level: constants.Z_NO_COMPRESSION }) : small
}

/** Writes a file durably: after a crash it is there as a whole, or not at all. */
export async function writeWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  const draft = `${path}.tmp`
  try {
    await writeDurably(draft, bytes)
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {})
    throw error
  }
}

/** Writes content durably to a temporary file of the folder and returns its path. Renaming makes it a version. */
export async function writeCandidate(folder: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, 'candidate.tmp')
  await writeDurably(path, bytes)
  return path
}

async function writeDurably(path: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const handle = await open(path, 'w', 0o600)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
