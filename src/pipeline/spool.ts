import { randomUUID } from 'node:crypto'
import type { SpoolBody, SpooledRow } from '../model/spool.ts'
import { StorageError } from '../util/errors.ts'

/** Recorded in the file, so that no version reads a spool with another layout. */
const PARTITIONS = '1'

/** The parts of a SQLite file that the spool needs (`state/sqlite.ts` opens it). */
interface SqliteLike {
  prepare(sql: string): {
    all(parameters: readonly unknown[]): unknown[]
    run(parameters: readonly unknown[]): { lastInsertRowid: number | bigint }
  }
  exec(sql: string): void
  close(): void
}

/**
 * The durable queue for what cannot be read again (HTTP bodies, stdin). Rows are whole bodies, in order of arrival; ids are never reused.
 * Synchronous: runs in a separate thread.
 */
export class Spool {
  /** Part of row ids, so that a spool that was deleted and recreated never repeats an id. */
  readonly epoch: string
  readonly #db: SqliteLike
  readonly #bytes = new Map<string, number>()
  readonly #insert
  readonly #next
  readonly #range
  readonly #received
  readonly #freed
  readonly #free
  /** Ids up to which bodies are freed but not yet deleted, by source. */
  readonly #leaving = new Map<string, number>()

  constructor(db: SqliteLike) {
    this.#db = db
    db.exec(`CREATE TABLE IF NOT EXISTS spool (
      id INTEGER PRIMARY KEY AUTOINCREMENT, source_id TEXT NOT NULL, framing TEXT NOT NULL, received_ms INTEGER NOT NULL, body BLOB NOT NULL);
      CREATE INDEX IF NOT EXISTS spool_source ON spool (source_id, id);
      CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)`)
    db.prepare(`INSERT INTO meta VALUES ('epoch', ?), ('partitions', ?) ON CONFLICT DO NOTHING`).run([randomUUID(), PARTITIONS])
    const [partitions] = db.prepare(`SELECT value FROM meta WHERE key = 'partitions'`).all([]) as { value: string }[]
    if (partitions?.value !== PARTITIONS)
      throw new StorageError(
        `spool.db has ${partitions?.value} partitions, and this version reads ${PARTITIONS}: let the version that wrote it read all of it, or move the file away, which loses what waits in it`,
      )
    this.epoch = (db.prepare(`SELECT value FROM meta WHERE key = 'epoch'`).all([])[0] as { value: string }).value
    this.#insert = db.prepare('INSERT INTO spool (source_id, framing, received_ms, body) VALUES (?, ?, ?, ?)')
    this.#next = db.prepare('SELECT id, length(body) AS bytes FROM spool WHERE source_id = ? AND id > ? ORDER BY id LIMIT ?')
    this.#range = db.prepare(
      'SELECT id, framing, received_ms, body FROM spool WHERE source_id = ? AND id BETWEEN ? AND ? ORDER BY id',
    )
    this.#received = db.prepare('SELECT received_ms FROM spool WHERE id = ?')
    this.#freed = db.prepare('SELECT sum(length(body)) AS bytes FROM spool WHERE source_id = ? AND id BETWEEN ? AND ?')
    this.#free = db.prepare('DELETE FROM spool WHERE source_id = ? AND id <= ?')
    const sizes = db.prepare('SELECT source_id, sum(length(body)) AS bytes FROM spool GROUP BY source_id')
    for (const row of sizes.all([]) as { source_id: string; bytes: number }[]) this.#bytes.set(row.source_id, row.bytes)
  }

  /**
   * Appends all bodies in one transaction, which also deletes what was freed; they are on disk when this returns. Throws the driver's error,
   * with nothing appended.
   */
  append(bodies: readonly SpoolBody[]): void {
    this.#transaction(() => {
      for (const { sourceId, decoding, receivedMs, body } of bodies) this.#insert.run([sourceId, decoding, receivedMs, body])
    })
    for (const { sourceId, body } of bodies) this.#bytes.set(sourceId, this.bytes(sourceId) + body.length)
  }

  /** One transaction that deletes what was freed, and does `work`. */
  #transaction(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      for (const [sourceId, upToId] of this.#leaving) this.#free.run([sourceId, upToId])
      work()
      this.#db.exec('COMMIT')
    } catch (error) {
      try {
        this.#db.exec('ROLLBACK')
      } catch {
        // SQLite has rolled back by itself (disk full): the first error is the one to report.
      }
      throw error
    }
    this.#leaving.clear()
  }

  /** The next run of rows after `afterId`: as many as fit in `maxBytes`, at least one; `undefined` if there is none. */
  next(sourceId: string, afterId: number, maxBytes: number): { from: number; to: number } | undefined {
    const from = Math.max(afterId, this.#leaving.get(sourceId) ?? 0)
    const rows = this.#next.all([sourceId, from, 1000]) as { id: number; bytes: number }[]
    const first = rows[0]
    if (!first) return undefined
    let total = 0
    let to = first.id
    for (const row of rows) {
      total += row.bytes
      if (total > maxBytes && row !== first) break
      to = row.id
    }
    return { from: first.id, to }
  }

  /** The rows of a recorded extent. */
  read(sourceId: string, from: number, to: number): SpooledRow[] {
    const rows = this.#range.all([sourceId, from, to]) as {
      id: number
      framing: string
      received_ms: number
      body: ArrayBuffer
    }[]
    return rows.map((row) => ({ id: row.id, decoding: row.framing, receivedMs: row.received_ms, body: new Uint8Array(row.body) }))
  }

  /** When a row's body was received, epoch ms. */
  receivedMs(id: number): number {
    return (this.#received.all([id])[0] as { received_ms: number }).received_ms
  }

  /** The newest id of each source that has bodies. */
  ends(): Record<string, number> {
    const rows = this.#db.prepare('SELECT source_id, max(id) AS id FROM spool GROUP BY source_id').all([])
    const ends = (rows as { source_id: string; id: number }[]).map(({ source_id, id }): [string, number] => [source_id, id])
    return Object.fromEntries(ends.filter(([sourceId, id]) => id > (this.#leaving.get(sourceId) ?? 0)))
  }

  /** Rewrites the file, so that nothing of what was deleted is left in it or in its log. */
  scrub(): void {
    this.sweep()
    this.#db.exec('VACUUM')
    this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  /**
   * Committed rows are not there any more. The next `append` or `sweep` deletes them: a transaction of their own would cost a sync for each
   * batch, and nothing is lost if a crash brings them back, because the cursor in the state is past them. Harmless if they are already gone.
   */
  free(sourceId: string, upToId: number): void {
    const freedTo = this.#leaving.get(sourceId) ?? 0
    if (upToId <= freedTo) return
    const [gone] = this.#freed.all([sourceId, freedTo + 1, upToId]) as { bytes: number | null }[]
    this.#leaving.set(sourceId, upToId)
    this.#bytes.set(sourceId, Math.max(0, this.bytes(sourceId) - (gone?.bytes ?? 0)))
  }

  /** Deletes what was freed. Throws the driver's error; it is then deleted later. */
  sweep(): void {
    if (this.#leaving.size === 0) return
    this.#transaction(() => {})
  }

  bytesBySource(): Record<string, number> {
    return Object.fromEntries(this.#bytes)
  }

  /** Waiting bytes, of one source or of all. */
  bytes(sourceId?: string): number {
    if (sourceId !== undefined) return this.#bytes.get(sourceId) ?? 0
    let total = 0
    for (const bytes of this.#bytes.values()) total += bytes
    return total
  }

  close(): void {
    try {
      this.sweep()
    } catch {
      // What stays is freed again by whoever reads the spool next.
    }
    this.#db.close()
  }
}
