/** The rows of one run of a scheduled query, as they are mailed. */
export interface RowsMail {
  readonly query: string
  readonly description: string
  /** The time that the run was about, RFC 3339. */
  readonly dueTime: string
  readonly recipients: readonly string[]
  readonly columns: readonly string[]
  /** The rows to mail, each the exact text of a JSON array: the first ones, as far as the limits allow. */
  readonly rows: readonly string[]
  /** Number of rows that the run returned. */
  readonly total: number
  /** The query has more rows than a run returns. */
  readonly isTruncated: boolean
  /** All `rows` go as an attached CSV file; the message itself always shows the first. */
  readonly isAttached: boolean
  /** Where searches can be run. */
  readonly link: string
}

/** Why something waits to be sent in state: what happened to an alert, or rows of a query. */
export const ROWS_KIND = 'rows'

const PREFIX = 'query/'

/** Stands for the query where a delivery names its alert: mails of one query are sent in order. */
export function mailsOf(query: string): string {
  return PREFIX + query
}

/** The query whose rows are mailed by a delivery that names this in place of an alert. */
export function queryOfMails(alertId: string): string {
  return alertId.slice(PREFIX.length)
}
