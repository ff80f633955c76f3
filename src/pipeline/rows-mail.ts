import type { Decision, NewDelivery, OtherEffects } from '../model/batch.ts'
import type { QueryEmail } from '../model/query.ts'
import { mailsOf, ROWS_KIND, type RowsMail } from '../model/rows-mail.ts'
import type { QueryRows } from '../stages/detect/scheduled/rows.ts'
import { hash16 } from '../util/hash.ts'
import { decided } from './group.ts'

/** Rows that a message shows, and its limit in bytes. */
const MAX_SHOWN = { rows: 100, bytes: 64 * 1024 }
/** The same of an attachment; larger messages are refused by many mail servers. */
const MAX_ATTACHED = { rows: 100_000, bytes: 10 * 1024 * 1024 }

/** Where mail goes through, and what its links begin with. */
export interface MailRoute {
  /** Id of the destination whose mail server sends it. */
  readonly destination: string
  readonly baseUrl: string
}

/** What mailing needs to know of a query. */
export interface MailedQuery {
  readonly description: string
  readonly email: QueryEmail
}

/**
 * The delivery of a run's rows, the same whenever the run is repeated; `undefined` if nothing is to be mailed: the run has no rows, and
 * `SendEmpty` does not want them.
 */
export function rowsDelivery(
  { query, dueMs, columns, rows, isTruncated = false }: QueryRows,
  { description, email }: MailedQuery,
  { destination, baseUrl }: MailRoute,
  nowMs: number,
): NewDelivery | undefined {
  const { recipients, sendEmpty, preferAttachment } = email
  if (recipients.length === 0 || (rows.length === 0 && !sendEmpty)) return undefined
  const mail: RowsMail = {
    query,
    description,
    dueTime: new Date(dueMs).toISOString(),
    recipients,
    columns: columns.map(({ name }) => name),
    rows: within(rows, preferAttachment ? MAX_ATTACHED : MAX_SHOWN),
    total: rows.length,
    isTruncated,
    isAttached: preferAttachment && rows.length > 0,
    link: `${baseUrl}/search?tab=saved`,
  }
  const key = [query, String(dueMs), destination]
  return {
    deliveryId: hash16('rows', ...key) + hash16(...key, 'rows'),
    alertId: mailsOf(query),
    destination,
    body: JSON.stringify({ version: 1, kind: ROWS_KIND, mail }),
    createdMs: nowMs,
    kind: ROWS_KIND,
  }
}

/** The effects with the delivery, stored in the same transaction. */
export function withDelivery(effects: Decision<OtherEffects>, delivery: NewDelivery | undefined): Decision<OtherEffects> {
  if (!delivery) return effects
  return decided(effects, (all) => ({ ...all, deliveries: [...all.deliveries, delivery] }))
}

/** The first rows, as many as the limit allows. */
function within(rows: readonly string[], limit: { readonly rows: number; readonly bytes: number }): readonly string[] {
  let bytes = 0
  const end = rows.findIndex((row, i) => {
    bytes += Buffer.byteLength(row)
    return i >= limit.rows || bytes > limit.bytes
  })
  return end < 0 ? rows : rows.slice(0, end)
}
