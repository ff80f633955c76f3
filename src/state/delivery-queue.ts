import { type Kysely, sql } from 'kysely'
import type { ListedKind } from '../model/outgoing-alert.ts'
import { SEVERITIES } from '../model/rule.ts'
import type { DeliveryRow, StateTables } from './tables.ts'

/** Which due deliveries of a destination: those that no digest can carry, the others, or both. */
export type DueKind = 'alone' | 'others' | 'all'

const ALONE: readonly ListedKind[] = ['resolved', 'changed', 'rows']

/** Destinations with pending deliveries, due or not. */
export async function waitingDestinations(db: Kysely<StateTables>): Promise<readonly string[]> {
  const found: string[] = []
  let destination = ''
  for (;;) {
    const next = await db
      .selectFrom('deliveries')
      .select((eb) => eb.fn.min<string | null>('destination').as('destination'))
      .where('state', '=', sql.lit('pending'))
      .where('destination', '>', destination)
      .executeTakeFirst()
    if (next?.destination == null) return found
    destination = next.destination
    found.push(destination)
  }
}

/** Number of due deliveries of a destination, except those with the given ids. Counts no further than `limit`. */
export async function countDue(
  db: Kysely<StateTables>,
  destination: string,
  nowMs: number,
  limit: number,
  except: readonly string[],
): Promise<number> {
  let n = 0
  for (let urgency = SEVERITIES.length - 1; urgency >= 0 && n < limit; urgency--) {
    const { rows } = await db
      .selectFrom(
        due(db, destination, urgency, nowMs, except)
          .select(sql.lit(1).as('one'))
          .limit(limit - n)
          .as('some'),
      )
      .select((eb) => eb.fn.countAll<number>().as('rows'))
      .executeTakeFirstOrThrow()
    n += rows
  }
  return n
}

/**
 * Due deliveries of a destination, except those with the given ids: at most `limit`, those of the most severe alerts first, then the
 * oldest. Deliveries of one alert to one destination are due in the order in which they were created: nothing is resolved there before
 * it was opened.
 */
export async function dueDeliveries(
  db: Kysely<StateTables>,
  destination: string,
  nowMs: number,
  limit: number,
  except: readonly string[],
  kind: DueKind = 'all',
): Promise<DeliveryRow[]> {
  const found: DeliveryRow[] = []
  // One query per severity, so that each reads the index in order and stops at the limit.
  for (let urgency = SEVERITIES.length - 1; urgency >= 0 && found.length < limit; urgency--) {
    let query = due(db, destination, urgency, nowMs, except).selectAll()
    if (kind !== 'all') query = query.where('kind', kind === 'alone' ? 'in' : 'not in', ALONE)
    const rows = await query
      .orderBy('next_ms')
      .orderBy(sql`rowid`)
      .limit(limit - found.length)
      .execute()
    found.push(...rows)
  }
  return found
}

/** The state is a literal, not a parameter: only then does SQLite use the index of pending deliveries. */
function due(db: Kysely<StateTables>, destination: string, urgency: number, nowMs: number, except: readonly string[]) {
  const query = db
    .selectFrom('deliveries')
    .where('state', '=', sql.lit('pending'))
    .where('destination', '=', destination)
    .where('urgency', '=', urgency)
    .where('next_ms', '<=', nowMs)
    .where(({ not, exists, selectFrom, lit, ref }) =>
      not(
        exists(
          selectFrom('deliveries as earlier')
            .select(lit(1).as('one'))
            .whereRef('earlier.alert_id', '=', ref('deliveries.alert_id'))
            // What is appended keeps SQLite from walking the destination's whole queue instead of the alert's few deliveries.
            .where(sql<boolean>`earlier.destination || '' = deliveries.destination`)
            .where(sql<boolean>`earlier.state || '' = 'pending'`)
            .where(sql<boolean>`earlier.rowid < deliveries.rowid`),
        ),
      ),
    )
  return except.length > 0 ? query.where('delivery_id', 'not in', [...except]) : query
}
