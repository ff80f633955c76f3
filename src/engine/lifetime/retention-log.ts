import type { RetentionDeleted, RetentionRun } from '../../model/retention.ts'

/** `meta`: what retention did, so that it is known after a restart, and without the program. */
export const RETENTION_KEY = 'retention'

const MAX_DELETED = 100

/** What retention did lately. */
export interface RetentionRecord {
  readonly lastRun: RetentionRun | undefined
  /** Newest first. */
  readonly deleted: readonly RetentionDeleted[]
}

export function readRecord(text: string | undefined): RetentionRecord {
  return text ? (JSON.parse(text) as RetentionRecord) : { lastRun: undefined, deleted: [] }
}

export function withRun({ deleted }: RetentionRecord, lastRun: RetentionRun): RetentionRecord {
  return { lastRun, deleted: [...lastRun.deleted].reverse().concat(deleted).slice(0, MAX_DELETED) }
}
