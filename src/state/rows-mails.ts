import { type Kysely, sql, type Transaction } from 'kysely'
import { queryOfMails, ROWS_KIND } from '../model/rows-mail.ts'
import type { StateTables } from './tables.ts'

/** Mails of one query that are kept with their rows while they are not delivered: rows of many runs could fill the disk. */
export const MAX_WAITING_MAILS = 20

/** Gives up the oldest mails of a query that are not delivered, beyond the limit, and drops their rows. */
export async function capMails(tx: Transaction<StateTables>, alertId: string, nowMs: number): Promise<void> {
  const beyond = await tx
    .selectFrom('deliveries')
    .select('delivery_id')
    .where('alert_id', '=', alertId)
    .where('state', '!=', 'delivered')
    .where('body', '!=', '')
    .orderBy(sql`rowid`, 'desc')
    .limit(Number.MAX_SAFE_INTEGER)
    .offset(MAX_WAITING_MAILS)
    .execute()
  if (beyond.length === 0) return
  const error = `given up, because more than ${MAX_WAITING_MAILS} mails of this query were not delivered; its rows are no longer stored`
  await tx
    .updateTable('deliveries')
    .set({ state: 'dead', body: '', error: JSON.stringify(error), next_ms: nowMs })
    .where(
      'delivery_id',
      'in',
      beyond.map(({ delivery_id }) => delivery_id),
    )
    .execute()
}

/** Mails of a query that were given up. */
export interface DeadMails {
  readonly query: string
  readonly destination: string
  readonly mails: number
  /** Why the last one was given up. */
  readonly error: string
}

const MAX_LISTED = 100

/** Mails that were given up, by query, unless a later one of the same query was delivered. */
export async function deadMails(db: Kysely<StateTables>): Promise<DeadMails[]> {
  const rows = await db
    .selectFrom('deliveries')
    .select(({ fn }) => ['alert_id', 'destination', fn.countAll<number>().as('n')])
    .select(sql<number>`max(rowid)`.as('last'))
    .where('state', '=', 'dead')
    .where('kind', '=', ROWS_KIND)
    .where(({ not, exists, selectFrom, lit }) =>
      not(
        exists(
          selectFrom('deliveries as later')
            .select(lit(1).as('one'))
            .where(sql<boolean>`later.alert_id = deliveries.alert_id`)
            .where(sql<boolean>`later.rowid > deliveries.rowid`)
            .where(sql<boolean>`later.state || '' = 'delivered'`),
        ),
      ),
    )
    .groupBy(['alert_id', 'destination'])
    .orderBy('alert_id')
    .limit(MAX_LISTED)
    .execute()
  if (rows.length === 0) return []
  const last = rows.map((row) => row.last)
  const errors = await db
    .selectFrom('deliveries')
    .select([sql<number>`rowid`.as('place'), 'error'])
    .where(sql<number>`rowid`, 'in', last)
    .execute()
  const errorAt = new Map(errors.map(({ place, error }) => [place, error]))
  return rows.map(({ alert_id, destination, n, last: place }) => ({
    query: queryOfMails(alert_id),
    destination,
    mails: n,
    error: errorAt.get(place) ? String(JSON.parse(errorAt.get(place)!)) : '',
  }))
}

/** Mails that were given up before a time. Those that were delivered are deleted as other deliveries are. */
export async function pruneMails(db: Kysely<StateTables>, beforeMs: number, limit: number): Promise<number> {
  const old = db
    .selectFrom('deliveries')
    .select('delivery_id')
    .where('state', '=', 'dead')
    .where('kind', '=', ROWS_KIND)
    .where('next_ms', '<', beforeMs)
    .limit(limit)
  const { numDeletedRows } = await db.deleteFrom('deliveries').where('delivery_id', 'in', old).executeTakeFirst()
  return Number(numDeletedRows)
}
