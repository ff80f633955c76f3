import { randomBytes } from 'node:crypto'
import type { ChangeOutcome } from '../model/alert-work.ts'
import type { AuditEntry } from '../model/audit.ts'
import type { JsonValue } from '../model/json.ts'
import { MAX_ACTIVE_MUTES } from '../model/mute.ts'
import { isMuteEnd } from '../model/snooze.ts'
import type { ChangeThere, DestinationDesk, SnoozeThere } from '../stages/deliver/destination.ts'
import type { AlertSnooze } from '../state/snoozes.ts'
import type { Desk } from './alert-desk.ts'

export interface DestinationDeskDeps {
  /** The destination's id and type. */
  readonly id: string
  readonly type: string
  readonly desk: Desk
  /** Whether something with this name was created at the destination for the alert. */
  readonly isReferenceOf: (alertId: string, destination: string, reference: string) => Promise<boolean>
  /** How the alert can be snoozed, and the mutes by which it is; `undefined` if it does not exist. */
  readonly snoozes: (alertId: string, nowMs: number) => Promise<AlertSnooze | undefined>
  readonly audit: (entry: AuditEntry) => Promise<void>
  readonly now: () => number
  readonly onTrouble: DestinationDesk['onTrouble']
}

const REFUSALS: Readonly<Record<Exclude<ChangeOutcome, 'changed' | 'unchanged'>, string>> = {
  not_found: 'the alert does not exist any more',
  conflict: 'somebody else has changed the alert meanwhile',
  merged: 'the alert was merged into another one, whose status it has',
  too_many: 'the alert has too many tags',
  hidden: 'alerts are merged into it that you may not see',
}

/** Carries out what people do where alerts are sent to, in the same way as what they do through the API. */
export function destinationDesk(deps: DestinationDeskDeps): DestinationDesk {
  const { desk, onTrouble } = deps
  return {
    onTrouble,
    change: (ask) => audited(deps, ask, { operation: 'change', body: { ...ask.change } }, () => changed(desk, ask)),
    snooze: (ask) => {
      const body = { snooze: ask.forMs === undefined ? null : `${ask.forMs / 1000} s` }
      return audited(deps, ask, { operation: 'snooze', body }, () => snoozed(deps, ask))
    },
  }
}

/** Does it if the message was sent for the alert: a copied or invented one changes nothing. */
async function audited(
  { id, type, isReferenceOf, audit }: DestinationDeskDeps,
  { alertId, reference, by }: Pick<ChangeThere, 'alertId' | 'reference' | 'by'>,
  { operation, body }: { readonly operation: 'change' | 'snooze'; readonly body: JsonValue },
  work: () => Promise<string | undefined>,
): Promise<string | undefined> {
  const isOurs = await isReferenceOf(alertId, id, reference)
  const refusal = isOurs ? await work() : 'the message does not belong to the alert'
  await audit({
    audit_event: isOurs ? 'change' : 'refused',
    caller: by,
    caller_kind: type,
    operation: `${operation} by ${type}`,
    request_path: `/destinations/${id}/alerts/${alertId}`,
    status: !isOurs ? 403 : refusal === undefined ? 200 : 409,
    ...(refusal === undefined ? { detail: { body } } : { reason: refusal }),
  })
  return refusal
}

/** Snoozes the alert or ends that; resolves with why not, or `undefined`. */
async function snoozed(
  { type, desk, snoozes, now }: DestinationDeskDeps,
  { alertId, by, forMs }: SnoozeThere,
): Promise<string | undefined> {
  const nowMs = now()
  const found = await snoozes(alertId, nowMs)
  if (!found) return REFUSALS.not_found
  const { snooze, mutes } = found
  if (snooze.kind === 'refused') return `the alert ${snooze.why}`
  if (forMs === undefined) {
    if (mutes.length === 0) return 'the alert is not snoozed any more'
    for (const { muteId } of mutes) await desk({ do: 'unmute', muteId, by })
    return undefined
  }
  const expiresMs = nowMs + forMs
  const longer = mutes.find((mute) => mute.expiresMs >= expiresMs)
  if (longer) return `the alert is snoozed until ${new Date(longer.expiresMs).toISOString()} already`
  if (!isMuteEnd(expiresMs, nowMs)) return 'it can be snoozed for a year at most'
  const muteId = randomBytes(16).toString('hex')
  const ask = { muteId, criteria: snooze.criteria, owner: by, reason: `snoozed by ${type}`, by, expiresMs }
  const mute = await desk({ do: 'mute', ...ask })
  if (mute === 'too_many') return `${MAX_ACTIVE_MUTES} mutes are in force, as many as are allowed`
  return mute === 'taken' ? 'another mute has its id, so try again' : undefined
}

/** Why the change was not made, or `undefined`. */
async function changed(
  desk: Desk,
  { alertId, by, change }: Pick<ChangeThere, 'alertId' | 'by' | 'change'>,
): Promise<string | undefined> {
  const [result] = await desk({ do: 'change', alertIds: [alertId], change, by })
  const { outcome } = result!
  return outcome === 'changed' || outcome === 'unchanged' ? undefined : REFUSALS[outcome]
}
