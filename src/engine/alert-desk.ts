import type { ChangeResult, CommentOutcome, HoldOutcome, MergeOutcome } from '../model/alert-work.ts'
import type { KeyAsk, KeyOutcome } from '../model/answered-call.ts'
import type { DeliveryFilter } from '../model/delivery-list.ts'
import type { Mute } from '../model/mute.ts'
import type { Rule } from '../model/rule.ts'
import { changeDeliveries, changeKey, kindOfChange, type Routing } from '../pipeline/deliveries.ts'
import { type ChangeAsk, type ChangeNews, type Comment, changeAlerts, commentAlert } from '../state/alert-changes.ts'
import { type MergeAsk, mergeAlerts, unmergeAlert } from '../state/alert-merge.ts'
import { answeredCall } from '../state/answered-calls.ts'
import type { StateDb } from '../state/db.ts'
import { resendDeliveries } from '../state/delivery-list.ts'
import { changeHold, type HoldAsk } from '../state/holds.ts'
import { addMute, endMute, type NewMute } from '../state/mutes.ts'
import type { OnSnooze } from '../state/snoozes.ts'

/** What people do to alerts. */
export type DeskAsk =
  | ({ readonly do: 'change' } & Omit<ChangeAsk, 'nowMs' | 'onChange'>)
  | ({ readonly do: 'comment' } & Omit<Comment, 'nowMs'>)
  | ({ readonly do: 'merge' } & Omit<MergeAsk, 'nowMs' | 'onChange'>)
  | ({ readonly do: 'unmerge'; readonly alertId: string; readonly by: string } & Pick<ChangeAsk, 'seenLogTypes'>)
  | ({ readonly do: 'hold' } & Omit<HoldAsk, 'nowMs'>)
  | ({ readonly do: 'mute' } & Omit<NewMute, 'nowMs' | 'onSnooze'>)
  | { readonly do: 'unmute'; readonly muteId: string; readonly by: string }
  | { readonly do: 'resend'; readonly which: Omit<DeliveryFilter, 'state'> }
  /** A call of the API with a key begins or ends. */
  | { readonly do: 'key'; readonly key: KeyAsk }

/** The answers, by what was asked for. */
export interface DeskAnswers {
  readonly change: readonly ChangeResult[]
  readonly comment: CommentOutcome
  readonly merge: MergeOutcome
  readonly unmerge: 'done' | 'not_found' | 'not_merged' | 'hidden'
  readonly hold: HoldOutcome
  /** `taken`: another mute has the id. `too_many`: as many mutes as are allowed are in force. */
  readonly mute: Mute | 'taken' | 'too_many'
  /** `undefined`: it does not exist. */
  readonly unmute: Mute | undefined
  /** Dead deliveries that are due again. */
  readonly resend: number
  readonly key: KeyOutcome
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
  const onChange: ChangeNews['onChange'] = (before, after, sentTo) =>
    changeDeliveries(after, { kind: kindOfChange(before, after), key: changeKey(after), nowMs, sentTo }, rules, routing)
  const onSnooze = (key: string): OnSnooze => {
    return (alert, sentTo) => changeDeliveries(alert, { kind: 'changed', key, nowMs, sentTo }, rules, routing)
  }
  switch (ask.do) {
    case 'change':
      return changeAlerts(db, { ...ask, nowMs, onChange })
    case 'comment':
      return commentAlert(db, { ...ask, nowMs })
    case 'merge':
      return mergeAlerts(db, { ...ask, nowMs, onChange })
    case 'unmerge':
      return unmergeAlert(db, { ...ask, nowMs })
    case 'hold':
      return changeHold(db, { ...ask, nowMs })
    case 'mute':
      return addMute(db, { ...ask, nowMs, onSnooze: onSnooze(`snoozed ${ask.muteId}`) })
    case 'unmute':
      return endMute(db, { ...ask, nowMs, onSnooze: onSnooze(`unsnoozed ${ask.muteId}`) })
    case 'resend':
      return resendDeliveries(db, ask.which, nowMs)
    case 'key':
      return answeredCall(db, ask.key, nowMs)
  }
}
