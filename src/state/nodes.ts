import { sql } from 'kysely'
import type { StateDb } from './db.ts'

/** A node that has not been seen for this time in milliseconds is missing. */
export const MISSING_MS = 60_000

/** A process that shares the state. */
export interface StoredNode {
  readonly name: string
  /** `ingest`, `standby`, or what the active one does. */
  readonly roles: readonly string[]
  readonly version: string
  /** Its URL. */
  readonly address: string
  readonly startedMs: number
  /** Milliseconds since its last sign of life, by the clock of the database. */
  readonly silentMs: number
}

/** The nodes that have recorded themselves, by name. Of a state on PostgreSQL. */
export async function storedNodes(db: StateDb): Promise<StoredNode[]> {
  const now = sql<number>`(extract(epoch FROM clock_timestamp()) * 1000)::bigint`
  const rows = await db.selectFrom('nodes').selectAll().select(now.as('now_ms')).orderBy('name').execute()
  return rows.map(({ name, roles, version, address, started_ms, seen_ms, now_ms }) => ({
    name,
    roles: roles.split(','),
    version,
    address,
    startedMs: started_ms,
    silentMs: Math.max(0, now_ms - seen_ms),
  }))
}
