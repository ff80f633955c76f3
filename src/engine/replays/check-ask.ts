import { DEAD_LETTER_REASONS } from '../../model/outcome.ts'
import type { EventReplay, LetterReplay, ReplayAsk, RetroReplay } from '../../model/replay.ts'
import { suggestion } from '../../packs/issues.ts'
import { Refused } from '../../util/errors.ts'
import type { OpenContent } from '../open-content.ts'
import { schemaOf } from '../path.ts'

/** The request with its defaults filled in. Throws `Refused` for one that makes no sense. */
export function checkAsk(ask: ReplayAsk, content: OpenContent, nowMs: number): ReplayAsk {
  if (ask.kind === 'dead-letters') return checkLetters(ask)
  return ask.kind === 'backtest' ? { ...ask, toMs: pastEnd(ask, nowMs) } : checkEvents(ask, content, nowMs)
}

/** The end of the range: events that arrive from now on are judged live. */
function pastEnd({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }, nowMs: number): number {
  const endMs = Math.min(toMs, nowMs)
  if (fromMs < endMs) return endMs
  throw new Refused(
    `the range from ${iso(fromMs)} to ${iso(endMs)} is empty: only past events can be replayed, so specify an earlier time`,
  )
}

function checkLetters(ask: LetterReplay): LetterReplay {
  for (const reason of ask.reasons)
    if (!(DEAD_LETTER_REASONS as readonly string[]).includes(reason))
      throw new Refused(
        `there is no reason '${reason}'${suggestion(reason, DEAD_LETTER_REASONS) || '; docs/errors.md lists them'}`,
      )
  return ask
}

function checkEvents<T extends EventReplay | RetroReplay>(ask: T, { loaded, judged }: OpenContent, nowMs: number): T {
  const { rules } = ask
  const toMs = pastEnd(ask, nowMs)
  const enabled = judged.filter((rule) => rule.enabled && rule.kind !== 'scheduled_rule')
  const byId = new Map(enabled.map((rule) => [rule.id, rule]))
  for (const id of rules)
    if (!byId.has(id))
      throw new Refused(
        `no enabled rule '${id}' judges events${suggestion(id, byId.keys()) || '; `caracal rules` lists the rules'}`,
      )
  const own = rules.map((id) => byId.get(id)!)
  const named = [...new Set(own.flatMap(({ logTypes, policy }) => [...logTypes, ...(policy?.resourceTypes ?? [])]))]
  const logTypes = [...new Set(ask.logTypes.length > 0 ? ask.logTypes : named)].sort()
  if (logTypes.length === 0) throw new Refused('specify the log types to replay, or rules that name theirs')
  for (const name of logTypes)
    if (!schemaOf(name, loaded)) throw new Refused(`log type '${name}' has no schema${suggestion(name, loaded.schemas.keys())}`)
  for (const { id, logTypes: types, policy } of own) {
    const all = [...types, ...(policy?.resourceTypes ?? [])]
    if (!all.some((name) => logTypes.includes(name)))
      throw new Refused(`rule '${id}' judges ${all.join(', ')}, and none of ${logTypes.join(', ')}`)
  }
  return { ...ask, logTypes, toMs }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
