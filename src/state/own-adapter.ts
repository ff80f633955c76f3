import type { Kysely } from 'kysely'

/** What a dialect of the state can do beyond Kysely's. */
export interface OwnAdapter {
  /**
   * Rewrites tables, so that nothing of what was deleted is left in their files.
   *
   * @throws {RetryLater} if somebody reads the state for too long.
   */
  scrub(db: Kysely<never>, tables: readonly string[]): Promise<void>
  /**
   * Does work that may be undone by a loss of power, as long as nothing committed after it is left: its commit does not wait for the disk
   * where that is possible. It survives the end of the process like any other.
   */
  unhurried<DB, T>(db: Kysely<DB>, work: (db: Kysely<DB>) => Promise<T>): Promise<T>
}

export function ownAdapter<DB>(db: Kysely<DB>): OwnAdapter {
  return db.getExecutor().adapter as unknown as OwnAdapter
}
