import { type AlertBody, CROWD_DEDUP, isRuleError } from './alert.ts'
import { MAX_MUTE_MS, type MuteCriteria } from './mute.ts'

/** What a snoozed alert's mute covers, or why the alert cannot be snoozed. */
export type Snooze = { readonly kind: 'ok'; readonly criteria: MuteCriteria } | { readonly kind: 'refused'; readonly why: string }

/** Snoozing an alert mutes further matches of its rule with exactly its dedup string. */
export function snoozeOf({
  ruleId,
  body,
}: {
  readonly ruleId: string
  readonly body: Pick<AlertBody, 'type' | 'dedup'>
}): Snooze {
  if (body.type === 'SYSTEM' || isRuleError(body.type)) {
    const what = body.type === 'SYSTEM' ? 'about Caracal itself' : 'about a rule that fails'
    const why = `is ${what} and cannot be snoozed, because it says that other alerts may be missing: fix its cause`
    return { kind: 'refused', why }
  }
  if (body.dedup === CROWD_DEDUP) {
    const why = `collects matches with many dedup strings, so there is no single one to snooze: mute its rule instead, ${ruleId}, with \`caracal mutes add --rule\``
    return { kind: 'refused', why }
  }
  return { kind: 'ok', criteria: { rule: ruleId, dedup: body.dedup, exact: true } }
}

/** Whether a new mute may end then: in the future, and within a year. */
export function isMuteEnd(expiresMs: number, nowMs: number): boolean {
  return expiresMs > nowMs && expiresMs <= nowMs + MAX_MUTE_MS
}

/** Whether two mutes cover the same matches, those of a snoozed alert. */
export function isSameSnooze(a: MuteCriteria, b: MuteCriteria): boolean {
  const isPlain = ({ title, indicator, severities, logType }: MuteCriteria) =>
    title === undefined && indicator === undefined && severities === undefined && logType === undefined
  return isPlain(a) && isPlain(b) && a.exact === true && b.exact === true && a.rule === b.rule && a.dedup === b.dedup
}
