import type { Kysely } from 'kysely'

/** What a dialect of the state can do beyond Kysely's: rewrite tables, so that nothing of what was deleted is left in their files. */
export interface ScrubbingAdapter {
  /** @throws {RetryLater} if somebody reads the state for too long. */
  scrub(db: Kysely<never>, tables: readonly string[]): Promise<void>
}
