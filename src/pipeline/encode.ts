import type { Effects, FinishedRows } from '../model/batch.ts'
import type { RowOrigin } from '../model/schema.ts'
import { alertTables } from './alert-tables.ts'
import { changeDeliveries, changeKey, deliveriesOf, type Routing } from './deliveries.ts'
import { evidenceOf } from './evidence.ts'
import { finishedRows } from './finished-rows.ts'
import type { Generation } from './generation.ts'
import type { Encoded, Grouped, Parsed } from './steps.ts'

export interface EncodeDeps extends Routing {
  readonly generation: Pick<Generation, 'rules'>
}

/** Input that is not a batch has only findings. */
type Encodable = Grouped & Pick<Parsed, 'groups' | 'deadLetters' | 'raw'> & Encoded<readonly FinishedRows[]>

/** Grouped findings → everything that one transaction stores of them: finished lake rows, windows, deliveries, counts. */
export function encode(found: Encodable, origin: RowOrigin, deps: EncodeDeps): Effects {
  const { alerts, cacheWrites, cacheLimits = [], correlation, nowMs } = found
  const unmuted = alerts.changes.filter(({ kind }) => kind === 'unmuted').map(({ window }) => window)
  const opened = [...alerts.opened.filter(({ mutedBy }) => !mutedBy), ...unmuted]
  return {
    rows: finishedRows(found, deps.generation.rules, origin),
    windows: alerts.windows,
    opened,
    alertTables: alertTables(alerts.windowOf),
    evidence: evidenceOf({
      windowOf: alerts.windowOf,
      raw: found.raw,
      rules: deps.generation.rules,
      generation: origin.generation ?? '',
    }),
    deliveries: [
      ...opened.flatMap((window) => deliveriesOf(window, deps.generation.rules, deps)),
      ...alerts.changes.flatMap(({ window, kind, sentTo }) => {
        if (kind === 'unmuted') return []
        const change = { kind, key: String(window.eventCount), nowMs, sentTo }
        return changeDeliveries(window, change, deps.generation.rules, deps)
      }),
    ],
    onReopened: (alert, sentTo) =>
      changeDeliveries(alert, { kind: 'reopened', key: changeKey(alert), nowMs, sentTo }, deps.generation.rules, deps),
    mutes: alerts.mutes,
    cacheWrites,
    correlation,
    ...(found.risk && { risk: found.risk }),
    // A child process speaks for the rules of all folders, so it may name one that does not exist.
    limits: [...alerts.limits, ...cacheLimits.filter(({ ruleId }) => deps.generation.rules.has(ruleId))],
    findings: tally(found),
    nowMs,
  }
}

/** Matches and errors by rule. */
function tally({ judged }: Grouped): Effects['findings'] {
  const matches = new Map<string, number>()
  const errors = new Map<string, number>()
  const lastErrors = new Map<string, string>()
  for (const { finding } of judged) {
    const counts = finding.kind === 'match' ? matches : errors
    counts.set(finding.ruleId, (counts.get(finding.ruleId) ?? 0) + 1)
    if (finding.kind === 'error') lastErrors.set(finding.ruleId, finding.message)
  }
  return { matches, errors, lastErrors }
}
