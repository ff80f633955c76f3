import type { ChangeResult, CommentOutcome } from '../model/alert-work.ts'
import { type ChangeAsk, type Comment, changeAlerts, commentAlert } from '../state/alert-changes.ts'
import type { StateDb } from '../state/db.ts'

/** Changes of alerts as callers request them; the desk adds the time. */
export type ChangeAlerts = Omit<ChangeAsk, 'nowMs'>
export type CommentAlert = Omit<Comment, 'nowMs'>

/** What people do to alerts, in the thread that writes state. */
export class AlertDesk {
  readonly #db: StateDb
  readonly #now: () => number

  constructor(db: StateDb, now: () => number) {
    this.#db = db
    this.#now = now
  }

  change(ask: ChangeAlerts): Promise<readonly ChangeResult[]> {
    return changeAlerts(this.#db, { ...ask, nowMs: this.#now() })
  }

  comment(comment: CommentAlert): Promise<CommentOutcome> {
    return commentAlert(this.#db, { ...comment, nowMs: this.#now() })
  }
}
