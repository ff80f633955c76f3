import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import { StorageError } from '../util/errors.ts'
import { sha256 } from '../util/hash.ts'
import type { StateTables } from './tables.ts'

/** A file is stored in chunks of this size: what is added to the end of a long file leaves all chunks but the last as they are. */
export const CHUNK_BYTES = 256 * 1024
const ROWS_AT_ONCE = 500

export interface StoredFile {
  /** Relative, with `/`. */
  readonly path: string
  readonly bytes: number
  /** SHA-256 of the content, in hex. */
  readonly hash: string
}

type Db = Kysely<StateTables>

/** The stored files whose paths begin like this, in the order of their paths. */
export async function storedFiles(db: Db, prefix: string): Promise<StoredFile[]> {
  return db
    .selectFrom('stored_files')
    .select(['path', 'bytes', 'hash'])
    .where('path', '>=', prefix)
    .where('path', '<', `${prefix}\uffff`)
    .orderBy('path')
    .execute()
}

/**
 * Stores a file, or changes it to this content. Whoever reads it has the earlier content as a whole, or this one. One call at a time: chunks
 * that no file has are removed. Each chunk has at most `CHUNK_BYTES`.
 */
export async function storeFile(db: Db, path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  const before = await db.selectFrom('stored_files').select('hash').where('path', '=', path).executeTakeFirst()
  const present = new Set((await partsOf(db, path)).map(({ chunk }) => chunk))
  const whole = createHash('sha256')
  const chunks: string[] = []
  let bytes = 0
  for await (const data of content) {
    const chunk = sha256(data)
    whole.update(data)
    bytes += data.length
    chunks.push(chunk)
    if (present.has(chunk)) continue
    present.add(chunk)
    await db
      .insertInto('stored_chunks')
      .values({ chunk, data })
      .onConflict((oc) => oc.doNothing())
      .execute()
  }
  const hash = whole.digest('hex')
  if (before?.hash === hash) return
  const parts = chunks.map((chunk, part) => ({ path, part, chunk }))
  await db.transaction().execute(async (tx) => {
    await tx.deleteFrom('stored_parts').where('path', '=', path).execute()
    for (let at = 0; at < parts.length; at += ROWS_AT_ONCE)
      await tx
        .insertInto('stored_parts')
        .values(parts.slice(at, at + ROWS_AT_ONCE))
        .execute()
    await tx
      .insertInto('stored_files')
      .values({ path, bytes, hash })
      .onConflict((oc) => oc.column('path').doUpdateSet({ bytes, hash }))
      .execute()
    await dropUnused(tx)
  })
}

/** Removes stored files. */
export async function removeStoredFiles(db: Db, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return
  await db.transaction().execute(async (tx) => {
    for (const path of paths) {
      await tx.deleteFrom('stored_parts').where('path', '=', path).execute()
      await tx.deleteFrom('stored_files').where('path', '=', path).execute()
    }
    await dropUnused(tx)
  })
}

/**
 * The content of a stored file, chunk by chunk.
 *
 * @throws {StorageError} at the end, if it is not what was stored.
 */
export async function* readStoredFile(db: Db, { path, bytes, hash }: StoredFile): AsyncGenerator<Uint8Array> {
  const whole = createHash('sha256')
  let n = 0
  for (const { chunk } of await partsOf(db, path)) {
    const row = await db.selectFrom('stored_chunks').select('data').where('chunk', '=', chunk).executeTakeFirst()
    if (!row) break
    // SQLite returns a plain buffer.
    const data = new Uint8Array(row.data)
    whole.update(data)
    n += data.length
    yield data
  }
  if (n !== bytes || whole.digest('hex') !== hash)
    throw new StorageError(
      `the file ${path} in the state is damaged: it has ${n} bytes of ${bytes}, or others than were stored. Restore the state from a backup.`,
    )
}

async function partsOf(db: Db, path: string): Promise<{ chunk: string }[]> {
  return db.selectFrom('stored_parts').select('chunk').where('path', '=', path).orderBy('part').execute()
}

async function dropUnused(db: Db): Promise<void> {
  await db
    .deleteFrom('stored_chunks')
    .where((eb) =>
      eb.not(
        eb.exists(
          eb.selectFrom('stored_parts').select('stored_parts.path').whereRef('stored_parts.chunk', '=', 'stored_chunks.chunk'),
        ),
      ),
    )
    .execute()
}
