import { createReadStream } from 'node:fs'
import { copyFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { messageOf, RetryLater } from '../../util/errors.ts'
import { type ArchivedFile, ArchiveFileMissing, type ArchivePlace } from './place.ts'

const PIECE_BYTES = 4 * 1024 * 1024
/** What a crash left of a file. */
const PARTIAL = '.partial'

/** An archive in a folder. */
export class FolderPlace implements ArchivePlace {
  readonly name: string

  constructor(folder: string) {
    this.name = folder
  }

  async put(key: string, file: string): Promise<void> {
    const to = join(this.name, key)
    const partial = `${to}${PARTIAL}`
    try {
      await mkdir(dirname(to), { recursive: true, mode: 0o750 })
      await copyFile(file, partial)
      await synced(partial)
      await rename(partial, to)
      await synced(dirname(to))
    } catch (error) {
      await rm(partial, { force: true }).catch(() => {})
      throw this.#failed('written to', error)
    }
  }

  async *read(key: string): AsyncIterable<Uint8Array> {
    try {
      for await (const piece of createReadStream(join(this.name, key), { highWaterMark: PIECE_BYTES })) yield piece as Uint8Array
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new ArchiveFileMissing(`${key} does not exist`)
      throw this.#failed('read', error)
    }
  }

  async *list(folder: string, { after = '' }: { readonly after?: string | undefined } = {}): AsyncIterable<ArchivedFile> {
    const entries = await readdir(join(this.name, folder), { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw this.#failed('read', error)
    })
    const found = entries.map((entry) => ({ entry, key: `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}` }))
    for (const { entry, key } of found.sort((a, b) => (a.key < b.key ? -1 : 1))) {
      if (key <= after && !after.startsWith(key)) continue
      if (entry.isDirectory()) yield* this.list(key, { after })
      else if (entry.isFile() && !key.endsWith(PARTIAL)) yield { key, bytes: (await stat(join(this.name, key))).size }
    }
  }

  #failed(what: string, error: unknown): RetryLater {
    const message = `the archive's folder ${this.name} cannot be ${what}: ${messageOf(error)}`
    return new RetryLater(message, undefined, { cause: error })
  }
}

/** What is on disk now stays there after a power cut. */
async function synced(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
