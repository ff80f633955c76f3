import type { ChangeResult, CommentOutcome, MergeOutcome } from '../model/alert-work.ts'
import type { DeliveryFilter } from '../model/delivery-list.ts'
import type { Mute } from '../model/mute.ts'
import type { Rule } from '../model/rule.ts'
import { changeDeliveries, type Routing } from '../pipeline/deliveries.ts'
import { type ChangeAsk, type Comment, changeAlerts, commentAlert, type EndNews } from '../state/alert-changes.ts'
import { type MergeAsk, mergeAlerts, unmergeAlert } from '../state/alert-merge.ts'
import type { StateDb } from '../state/db.ts'
import { resendDeliveries } from '../state/delivery-list.ts'
import { addMute, endMute, type NewMute } from '../state/mutes.ts'

/** What people do to alerts. */
export type DeskAsk =
  | ({ readonly do: 'change' } & Omit<ChangeAsk, 'nowMs' | 'onEnd'>)
  | ({ readonly do: 'comment' } & Omit<Comment, 'nowMs'>)
  | ({ readonly do: 'merge' } & Omit<MergeAsk, 'nowMs' | 'onEnd'>)
  | ({ readonly do: 'unmerge'; readonly alertId: string; readonly by: string } & Pick<ChangeAsk, 'seenLogTypes'>)
  | ({ readonly do: 'mute' } & Omit<NewMute, 'nowMs'>)
  | { readonly do: 'unmute'; readonly muteId: string; readonly by: string }
  | { readonly do: 'resend'; readonly which: Omit<DeliveryFilter, 'state'> }

/** The answers, by what was asked for. */
export interface DeskAnswers {
  readonly change: readonly ChangeResult[]
  readonly comment: CommentOutcome
  readonly merge: MergeOutcome
  readonly unmerge: 'done' | 'not_found' | 'not_merged' | 'hidden'
  /** `taken`: another mute has the id. `too_many`: as many mutes as are allowed are in force. */
  readonly mute: Mute | 'taken' | 'too_many'
  /** `undefined`: it does not exist. */
  readonly unmute: Mute | undefined
  /** Dead deliveries that are due again. */
  readonly resend: number
}

/** Carries out what people do to alerts. */
export type Desk = <A extends DeskAsk>(ask: A) => Promise<DeskAnswers[A['do']]>

export interface DeskDeps {
  readonly db: StateDb
  readonly routing: Routing
  /** The rules in force. */
  readonly rules: ReadonlyMap<string, Rule>
  readonly now: () => number
}

/** What people do to alerts, in the thread that writes state. */
export function atDesk(ask: DeskAsk, { db, routing, rules, now }: DeskDeps): Promise<DeskAnswers[DeskAsk['do']]> {
  const nowMs = now()
  const onEnd: EndNews['onEnd'] = (alert, sentTo) =>
    changeDeliveries(alert, { kind: 'resolved', key: String(alert.version), nowMs, sentTo }, rules, routing)
  switch (ask.do) {
    case 'change':
      return changeAlerts(db, { ...ask, nowMs, onEnd })
    case 'comment':
      return commentAlert(db, { ...ask, nowMs })
    case 'merge':
      return mergeAlerts(db, { ...ask, nowMs, onEnd })
    case 'unmerge':
      return unmergeAlert(db, { ...ask, nowMs })
    case 'mute':
      return addMute(db, { ...ask, nowMs })
    case 'unmute':
      return endMute(db, { ...ask, nowMs })
    case 'resend':
      return resendDeliveries(db, ask.which, nowMs)
  }
}
