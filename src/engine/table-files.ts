import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Config } from '../config/config.ts'
import { tableFolder } from '../stages/enrich/versions/files.ts'
import type { StateDb } from '../state/db.ts'
import { getMeta, setMeta } from '../state/sources.ts'
import { CHUNK_BYTES, readStoredFile, removeStoredFiles, type StoredFile, storedFiles, storeFile } from '../state/stored-files.ts'
import { StorageError } from '../util/errors.ts'
import { isOnServers } from './on-servers.ts'

/** The folder of the data folder with the versions of tables, and the first part of their paths in the state. */
const TABLES = 'tables'
/** Key in `meta`: the state has these files, and what the data folder has is a copy. */
export const TABLE_FILES = 'table_files'
/** Contents of versions, which are named after their hash. */
const UNCHANGING = /\.gz$/
const DRAFT = /\.tmp$/
const NAME = /^(?!\.{1,2}$)[^/\\\0]{1,255}$/

/**
 * The versions of tables in the state, so that another node finds them there: files that a provider delivered, their lists, and what services
 * have answered. The data folder has the same files, which are what tables are read from.
 */
export class TableFiles {
  readonly #db: StateDb
  readonly #folder: string
  /** Settles when the changes requested so far are stored. */
  #tail: Promise<unknown> = Promise.resolve()

  private constructor(db: StateDb, dataDir: string) {
    this.#db = db
    this.#folder = join(dataDir, TABLES)
  }

  /**
   * Makes the data folder's files those of the state; the first time, the other way around.
   *
   * @throws {StorageError} if the state or the disk fails, or a file in the state is damaged.
   */
  static async open(db: StateDb, dataDir: string): Promise<TableFiles> {
    const files = new TableFiles(db, dataDir)
    if (await getMeta(db, TABLE_FILES)) await files.#fetch()
    else {
      await files.storeAll()
      await setMeta(db, TABLE_FILES, 'stored')
    }
    return files
  }

  /** From now on the data folder's files are the only ones: what the state has becomes too old. */
  static async leave(db: StateDb): Promise<undefined> {
    if (await getMeta(db, TABLE_FILES)) await setMeta(db, TABLE_FILES, '')
    return undefined
  }

  /** Stores what has changed in the files of a table. Rejects with `StorageError` if the state cannot be written. */
  store(table: string): Promise<void> {
    return this.#inTurn(() => this.#store(basename(tableFolder(this.#folder, table))))
  }

  /** The same for all tables; what is only in the state is removed from it. */
  storeAll(): Promise<void> {
    return this.#inTurn(async () => {
      const stored = (await storedFiles(this.#db, `${TABLES}/`)).map(({ path }) => path.split('/')[1]!)
      for (const folder of new Set([...(await namesIn(this.#folder)), ...stored])) await this.#store(folder)
    })
  }

  async #store(folder: string): Promise<void> {
    const stored = new Map((await storedFiles(this.#db, `${TABLES}/${folder}/`)).map((file) => [file.path, file]))
    const names = (await namesIn(join(this.#folder, folder))).filter((name) => !DRAFT.test(name))
    // The list of versions last: it never names a file that is not stored.
    for (const name of names.toSorted((a, b) => Number(UNCHANGING.test(b)) - Number(UNCHANGING.test(a)))) {
      const path = `${TABLES}/${folder}/${name}`
      const file = join(this.#folder, folder, name)
      const known = stored.get(path)
      stored.delete(path)
      await unlessMissing(async () => {
        const { size } = await stat(file)
        if (known?.bytes === size && UNCHANGING.test(name)) return
        // Answers may be added meanwhile.
        const upTo = size > 0 ? { end: size - 1 } : {}
        await storeFile(this.#db, path, createReadStream(file, { highWaterMark: CHUNK_BYTES, ...upTo }))
      })
    }
    await removeStoredFiles(this.#db, [...stored.keys()])
  }

  async #fetch(): Promise<void> {
    const stored = await storedFiles(this.#db, `${TABLES}/`)
    const wanted = new Set<string>()
    for (const file of stored) {
      const path = this.#pathOf(file)
      wanted.add(path)
      if ((await hashOfFile(path)) !== file.hash) await this.#write(path, file)
    }
    for (const folder of await namesIn(this.#folder))
      for (const name of await namesIn(join(this.#folder, folder))) {
        const path = join(this.#folder, folder, name)
        if (!wanted.has(path)) await rm(path, { recursive: true, force: true })
      }
  }

  /** Whoever can write the state must not be able to write elsewhere on the disk of a node. */
  #pathOf({ path }: StoredFile): string {
    const [top, folder, name, ...rest] = path.split('/')
    if (top !== TABLES || !folder || !name || rest.length > 0 || !NAME.test(folder) || !NAME.test(name))
      throw new StorageError(
        `the state has a file with the path '${path}', which is not that of a table. Restore it from a backup.`,
      )
    return join(this.#folder, folder, name)
  }

  async #write(path: string, file: StoredFile): Promise<void> {
    const draft = `${path}.tmp`
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const handle = await open(draft, 'w', 0o600)
    try {
      for await (const chunk of readStoredFile(this.#db, file)) await handle.writeFile(chunk)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, path)
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#tail.then(work)
    this.#tail = done.catch(() => {})
    return done
  }
}

/** The files of tables in the state, if other nodes may need them there. Rejects as `TableFiles.open` does. */
export async function openTableFiles(db: StateDb, config: Config): Promise<TableFiles | undefined> {
  return isOnServers(config) ? TableFiles.open(db, config.data_dir) : TableFiles.leave(db)
}

async function namesIn(folder: string): Promise<string[]> {
  return (await unlessMissing(() => readdir(folder))) ?? []
}

async function hashOfFile(path: string): Promise<string | undefined> {
  return unlessMissing(async () => {
    const hash = createHash('sha256')
    for await (const part of createReadStream(path)) hash.update(part as Uint8Array)
    return hash.digest('hex')
  })
}

/** The keeper may remove a version while it is read. */
async function unlessMissing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
