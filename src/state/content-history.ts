import type { Kysely, Selectable, Transaction } from 'kysely'
import {
  type ContentCause,
  type ContentFile,
  type ContentMark,
  type FileChange,
  MAX_GENERATIONS,
  MAX_HISTORY_BYTES,
  MAX_TEXT_BYTES,
  type PastGeneration,
} from '../model/content-history.ts'
import type { StateTables } from './tables.ts'

/** A file's current contents. */
export interface PresentFile extends ContentFile {
  readonly hash: string
}

export interface ContentRecord extends ContentMark {
  readonly generation: string
  readonly nowMs: number
  /** All current content files. */
  readonly files: readonly PresentFile[]
  /** The text with this hash; `undefined` if it is too long to store or the file has changed. */
  readonly textOf: (file: PresentFile) => Promise<Uint8Array | undefined>
}

/** How files came to be what they are, as far as it is stored. */
export interface FileHistory {
  readonly current: readonly PresentFile[]
  readonly generations: readonly PastGeneration[]
}

/** Rows per statement, because SQLite limits the number of bound values. */
const ROWS = 100

/** The files of the last generation. */
export function contentFiles(db: Kysely<StateTables>): Promise<PresentFile[]> {
  return db.selectFrom('content_files').selectAll().execute()
}

/** Records which files have changed since the last generation. Returns the new generation, or `undefined` if nothing changed. */
export async function recordContent(
  db: Kysely<StateTables>,
  record: ContentRecord,
): Promise<{ readonly number: number; readonly changes: readonly FileChange[] } | undefined> {
  const changes = changesSince(await contentFiles(db), record.files)
  const last = await generations(db).limit(1).executeTakeFirst()
  if (changes.length === 0 && last?.generation === record.generation) return undefined
  // Read before the transaction starts, because batches wait for the transaction.
  const fresh = await freshTexts(db, record, changes)
  const number = (last?.number ?? 0) + 1
  await db.transaction().execute(async (tx) => {
    const { generation, nowMs, cause, actor, commits } = record
    const row = { number, generation, created_ms: nowMs, cause, actor: JSON.stringify(actor), commits: JSON.stringify(commits) }
    await tx.insertInto('content_generations').values(row).execute()
    for (const part of parts(changes)) {
      const rows = part.map(({ root, path, before = null, after = null }) => ({
        number,
        root,
        path,
        before_hash: before,
        after_hash: after,
      }))
      await tx.insertInto('content_changes').values(rows).execute()
    }
    await replaceFiles(tx, changes)
    await makeRoom(tx, number, fresh)
  })
  return { number, changes }
}

function keyOf({ root, path }: ContentFile): string {
  return `${root}\0${path}`
}

function changesSince(before: readonly PresentFile[], after: readonly PresentFile[]): FileChange[] {
  const old = new Map(before.map((file) => [keyOf(file), file]))
  const changes: FileChange[] = []
  for (const { root, path, hash } of after) {
    const was = old.get(keyOf({ root, path }))
    old.delete(keyOf({ root, path }))
    if (was?.hash !== hash) changes.push({ root, path, before: was?.hash, after: hash })
  }
  for (const { root, path, hash } of old.values()) changes.push({ root, path, before: hash, after: undefined })
  return changes
}

async function freshTexts(
  db: Kysely<StateTables>,
  { textOf }: ContentRecord,
  changes: readonly FileChange[],
): Promise<Map<string, Uint8Array>> {
  const known = new Set((await db.selectFrom('content_texts').select('hash').execute()).map(({ hash }) => hash))
  const fresh = new Map<string, Uint8Array>()
  for (const { root, path, after: hash } of changes) {
    if (hash === undefined || known.has(hash) || fresh.has(hash)) continue
    const text = await textOf({ root, path, hash })
    if (text && text.length <= MAX_TEXT_BYTES) fresh.set(hash, text)
  }
  return fresh
}

async function replaceFiles(tx: Transaction<StateTables>, changes: readonly FileChange[]): Promise<void> {
  for (const { root, path, after } of changes) {
    if (after === undefined) await tx.deleteFrom('content_files').where('root', '=', root).where('path', '=', path).execute()
    else
      await tx
        .insertInto('content_files')
        .values({ root, path, hash: after })
        .onConflict((oc) => oc.columns(['root', 'path']).doUpdateSet({ hash: after }))
        .execute()
  }
}

/** Stores the texts within the limits: the oldest generations are deleted first, then long texts are left out. */
async function makeRoom(tx: Transaction<StateTables>, last: number, fresh: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await dropBefore(tx, last - MAX_GENERATIONS + 1)
  let bytes = await textBytes(tx)
  const needed = [...fresh.values()].reduce((sum, { length }) => sum + length, 0)
  while (bytes + needed > MAX_HISTORY_BYTES) {
    const oldest = await tx
      .selectFrom('content_generations')
      .select((eb) => eb.fn.min<number>('number').as('number'))
      .executeTakeFirstOrThrow()
    if (oldest.number >= last) break
    await dropBefore(tx, oldest.number + 1)
    bytes = await textBytes(tx)
  }
  for (const [hash, text] of fresh) {
    if (bytes + text.length > MAX_HISTORY_BYTES) continue
    bytes += text.length
    await tx.insertInto('content_texts').values({ hash, text, bytes: text.length }).execute()
  }
}

/** Deletes generations below this number, and texts that are no longer referenced. */
async function dropBefore(tx: Transaction<StateTables>, number: number): Promise<void> {
  const gone = await tx.deleteFrom('content_generations').where('number', '<', number).executeTakeFirst()
  if (Number(gone.numDeletedRows) === 0) return
  await tx.deleteFrom('content_changes').where('number', '<', number).execute()
  await tx
    .deleteFrom('content_texts')
    .where('hash', 'not in', (eb) => eb.selectFrom('content_files').select('hash'))
    .where('hash', 'not in', (eb) =>
      eb.selectFrom('content_changes').select('before_hash').where('before_hash', 'is not', null).$castTo<{ hash: string }>(),
    )
    .where('hash', 'not in', (eb) =>
      eb.selectFrom('content_changes').select('after_hash').where('after_hash', 'is not', null).$castTo<{ hash: string }>(),
    )
    .execute()
}

async function textBytes(tx: Transaction<StateTables>): Promise<number> {
  const { bytes } = await tx
    .selectFrom('content_texts')
    .select((eb) => eb.fn.sum<number | null>('bytes').as('bytes'))
    .executeTakeFirstOrThrow()
  return Number(bytes ?? 0)
}

/** The latest generations, newest first. */
export async function pastGenerations(db: Kysely<StateTables>, limit: number, before?: number): Promise<PastGeneration[]> {
  const older = before === undefined ? generations(db) : generations(db).where('number', '<', before)
  return withFiles(db, await older.limit(limit).execute())
}

/** The latest generation with this number, hash or hash prefix. */
export async function pastGeneration(db: Kysely<StateTables>, name: string): Promise<PastGeneration | undefined> {
  const number = /^\d{1,15}$/.test(name) ? Number(name) : undefined
  const numbered = number === undefined ? [] : await generations(db).where('number', '=', number).execute()
  const rows =
    numbered.length > 0
      ? numbered
      : await generations(db).where('generation', '>=', name).where('generation', '<', `${name}~`).limit(1).execute()
  return (await withFiles(db, rows))[0]
}

/** The files of the latest generation with this hash; `undefined` if it is no longer stored. */
export async function filesAt(db: Kysely<StateTables>, generation: string): Promise<PresentFile[] | undefined> {
  const [past] = await generations(db).where('generation', '=', generation).limit(1).execute()
  if (!past) return undefined
  const files = new Map((await contentFiles(db)).map((file) => [keyOf(file), file]))
  const later = db.selectFrom('content_changes').selectAll().where('number', '>', past.number).orderBy('number', 'desc')
  for (const { root, path, before_hash: hash } of await later.execute()) {
    if (hash === null) files.delete(keyOf({ root, path }))
    else files.set(keyOf({ root, path }), { root, path, hash })
  }
  return [...files.values()]
}

/** The paths in a content root that generations with these causes have changed. */
export async function editedFiles(db: Kysely<StateTables>, root: string, causes: readonly ContentCause[]): Promise<string[]> {
  const rows = await db
    .selectFrom('content_changes')
    .innerJoin('content_generations', 'content_generations.number', 'content_changes.number')
    .select('path')
    .distinct()
    .where('root', '=', root)
    .where('cause', 'in', causes)
    .orderBy('path')
    .execute()
  return rows.map(({ path }) => path)
}

/** The generations that changed some of these files of a root, newest first, each with its changes of them; and what the files are now. */
export async function historyOfFiles(db: Kysely<StateTables>, root: string, paths: readonly string[]): Promise<FileHistory> {
  const current = await db.selectFrom('content_files').selectAll().where('root', '=', root).where('path', 'in', paths).execute()
  const changes = await db
    .selectFrom('content_changes')
    .selectAll()
    .where('root', '=', root)
    .where('path', 'in', paths)
    .orderBy('number', 'desc')
    .orderBy('path')
    .execute()
  const files = new Map<number, FileChange[]>(changes.map(({ number }) => [number, []]))
  for (const change of changes) files.get(change.number)!.push(fileChange(change))
  const rows: Selectable<StateTables['content_generations']>[] = []
  for (const part of parts([...files.keys()])) rows.push(...(await generations(db).where('number', 'in', part).execute()))
  return { current, generations: rows.map((row) => pastOf(row, files.get(row.number)!)) }
}

function generations(db: Kysely<StateTables>) {
  return db.selectFrom('content_generations').selectAll().orderBy('number', 'desc')
}

async function withFiles(
  db: Kysely<StateTables>,
  rows: readonly Selectable<StateTables['content_generations']>[],
): Promise<PastGeneration[]> {
  const files = new Map<number, FileChange[]>(rows.map(({ number }) => [number, []]))
  for (const part of parts([...files.keys()])) {
    for (const row of await db.selectFrom('content_changes').selectAll().where('number', 'in', part).execute()) {
      files.get(row.number)!.push(fileChange(row))
    }
  }
  return rows.map((row) => pastOf(row, files.get(row.number)!))
}

function fileChange({ root, path, before_hash, after_hash }: Selectable<StateTables['content_changes']>): FileChange {
  return { root, path, before: before_hash ?? undefined, after: after_hash ?? undefined }
}

function pastOf(row: Selectable<StateTables['content_generations']>, files: readonly FileChange[]): PastGeneration {
  return {
    number: row.number,
    generation: row.generation,
    createdMs: row.created_ms,
    cause: row.cause as ContentCause,
    actor: String(JSON.parse(row.actor)),
    commits: JSON.parse(row.commits) as Record<string, string>,
    files,
  }
}

/** Texts by hash, without those that are not stored. */
export async function contentTexts(db: Kysely<StateTables>, hashes: readonly string[]): Promise<Map<string, Uint8Array>> {
  const texts = new Map<string, Uint8Array>()
  for (const part of parts([...new Set(hashes)])) {
    const rows = await db.selectFrom('content_texts').select(['hash', 'text']).where('hash', 'in', part).execute()
    for (const { hash, text } of rows) texts.set(hash, new Uint8Array(text))
  }
  return texts
}

/** How many stored texts of content files satisfy a condition. */
export async function countTexts(db: Kysely<StateTables>, isMeant: (text: string) => boolean): Promise<number> {
  let n = 0
  for (let after = ''; ; ) {
    const rows = await db
      .selectFrom('content_texts')
      .select(['hash', 'text'])
      .where('hash', '>', after)
      .orderBy('hash')
      .limit(ROWS)
      .execute()
    n += rows.filter(({ text }) => isMeant(Buffer.from(text).toString())).length
    if (rows.length < ROWS) return n
    after = rows.at(-1)!.hash
  }
}

function* parts<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += ROWS) yield list.slice(at, at + ROWS)
}
