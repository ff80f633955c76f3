import type { OutgoingAlert } from '../../model/outgoing-alert.ts'
import { SEVERITIES, type Severity } from '../../model/rule.ts'

/** Rules that a digest names; the rest are counted. */
const MAX_RULES = 20
const TITLE_RULES = 2

interface Count {
  readonly ruleId: string
  readonly name: string
  readonly severity: Severity
  n: number
}

/** One alert that stands for many: how many there are of each rule and severity. Its context has the ids of all of them. */
export function digestAlert(alerts: readonly OutgoingAlert[], id: string, nowMs: number): OutgoingAlert {
  const counts = countsOf(alerts)
  const more = (shown: number) => (counts.length > shown ? ` and ${counts.length - shown} more` : '')
  const named = counts.slice(0, TITLE_RULES).map(({ n, name, ruleId }) => `${n} × ${name || ruleId}`)
  const lines = counts.slice(0, MAX_RULES).map(({ n, severity, name, ruleId }) => `${n} × ${severity} ${name || ruleId}`)
  const first = alerts[0]!
  const time = new Date(nowMs).toISOString()
  return {
    alertId: id,
    ruleId: 'Caracal.Digest',
    type: 'SYSTEM',
    severity: counts[0]!.severity,
    title: `${alerts.length} alerts: ${named.join(', ')}${more(TITLE_RULES)}`,
    name: 'Digest',
    description: `More alerts than this destination takes at once (\`max_per_minute\`).\n\n${lines.join('\n')}${more(MAX_RULES)}`,
    reference: '',
    runbook: 'Read them with `caracal alerts`. If one rule raises most of them, tune it.',
    tags: ['Digest'],
    reports: {},
    dedup: id,
    context: JSON.stringify({ alerts: alerts.map(({ alertId }) => alertId), counts }),
    createdTime: time,
    firstEventTime: '',
    lastEventTime: '',
    eventCount: 0,
    logTypes: [...new Set(alerts.flatMap(({ logTypes }) => logTypes))].sort(),
    indicators: {},
    sourceLabels: [],
    link: first.link.replace(/\/[^/]*$/, ''),
  }
}

/** Most severe first, then the most frequent. */
function countsOf(alerts: readonly OutgoingAlert[]): readonly Count[] {
  const counts = new Map<string, Count>()
  for (const { ruleId, name, severity } of alerts) {
    const key = `${severity} ${ruleId}`
    const count = counts.get(key)
    if (count) count.n++
    else counts.set(key, { ruleId, name, severity, n: 1 })
  }
  return [...counts.values()].sort((a, b) => severityRank(b.severity) - severityRank(a.severity) || b.n - a.n)
}

function severityRank(severity: Severity): number {
  return SEVERITIES.indexOf(severity)
}
