import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, readdir, realpath, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StorageError } from '../../util/errors.ts'
import type { ListedFile } from './manifest.ts'

const PIECE_BYTES = 1024 * 1024
/** Files that are copied at the same time: most are small, and each waits for the disk. */
const AT_ONCE = 8
const MIB = 1024 * 1024

/** Called with the size in bytes of each file that has been copied. */
export type OnCopied = (bytes: number) => void

/**
 * Copies files, by their paths below two folders, and returns their sizes and hashes in the same order. They are on disk when this
 * resolves. `sizes`: a file is only copied up to one byte more than its size here. Rejects with the file system's error, and with
 * `StorageError` if a path leads through a symbolic link or to anything but a regular file; existing files are not overwritten.
 */
export async function copyFiles(
  paths: readonly string[],
  from: string,
  to: string,
  onCopied: OnCopied = () => {},
  sizes?: readonly number[],
): Promise<ListedFile[]> {
  const folders = new Set<string>()
  const top = paths.length > 0 ? await realpath(from) : from
  const copied: ListedFile[] = []
  let next = 0
  const failed: unknown[] = []
  const work = async () => {
    for (let i = next++; failed.length === 0 && i < paths.length; i = next++) {
      const path = paths[i]!
      const target = join(to, path)
      const folder = dirname(target)
      if (!folders.has(folder)) {
        await refuseLinks(top, dirname(path))
        await mkdir(folder, { recursive: true, mode: 0o700 })
      }
      folders.add(folder)
      copied[i] = { path, ...(await copyFile(join(top, path), target, sizes?.[i])) }
      onCopied(copied[i]!.bytes)
    }
  }
  // The caller may remove the copies after a failure, so nothing may still be writing by then.
  await Promise.all(Array.from({ length: AT_ONCE }, () => work().catch((error: unknown) => failed.push(error))))
  if (failed.length > 0) throw failed[0]
  for (const folder of folders) await syncFolder(folder)
  return copied
}

async function refuseLinks(top: string, folder: string): Promise<void> {
  const path = join(top, folder)
  if ((await realpath(path)) !== path)
    throw new StorageError(`${path} is not a folder of its own: there is a symbolic link in its path`)
}

async function copyFile(from: string, to: string, size = Infinity): Promise<{ bytes: number; sha256: string }> {
  // Opening a pipe would otherwise wait for its other end.
  const source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const about = await source.stat()
    if (!about.isFile()) throw new StorageError(`${from} is not a regular file`)
    const target = await open(to, 'wx', 0o600)
    try {
      const hash = createHash('sha256')
      let bytes = 0
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, about.size + 1))
      while (bytes <= size) {
        const { bytesRead } = await source.read(piece, 0, Math.min(piece.length, size + 1 - bytes))
        if (bytesRead === 0) break
        hash.update(piece.subarray(0, bytesRead))
        await writeAll(target, piece.subarray(0, bytesRead))
        bytes += bytesRead
      }
      await target.sync()
      return { bytes, sha256: hash.digest('hex') }
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

async function writeAll(target: Awaited<ReturnType<typeof open>>, bytes: Uint8Array): Promise<void> {
  let written = 0
  while (written < bytes.length) written += (await target.write(bytes, written)).bytesWritten
}

/** Size and hash of a file below a folder. */
export async function listFile(folder: string, path: string): Promise<ListedFile> {
  const hash = createHash('sha256')
  let bytes = 0
  const file = await open(join(folder, path), constants.O_RDONLY | constants.O_NOFOLLOW)
  for await (const piece of file.createReadStream({ highWaterMark: PIECE_BYTES })) {
    hash.update(piece as Buffer)
    bytes += (piece as Buffer).length
  }
  return { path, bytes, sha256: hash.digest('hex') }
}

/** Makes created, renamed and removed names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Regular files below a folder, as sorted relative paths; symbolic links are left out. Empty if there is no such folder. */
export async function filesBelow(folder: string): Promise<string[]> {
  const found: string[] = []
  const visit = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (entry.isDirectory()) await visit(path)
      else if (entry.isFile()) found.push(path)
    }
  }
  try {
    await visit('')
  } catch (error) {
    if (found.length > 0 || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return found.sort()
}

/** Throws `StorageError` if the disk of a folder has less free space than this. */
export async function needRoom(folder: string, bytes: number, what: string): Promise<void> {
  const { bsize, bavail } = await statfs(folder)
  const free = bsize * bavail
  if (bytes > free)
    throw new StorageError(
      `${what} needs ${Math.ceil(bytes / MIB)} MiB, and the disk of ${folder} has ${Math.floor(free / MIB)} MiB left: free space, or use another disk`,
    )
}
