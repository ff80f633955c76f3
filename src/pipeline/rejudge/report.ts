import type { AlertWindow } from '../../model/alert.ts'
import type { ReplayAlert, ReplayReport, RuleTally } from '../../model/replay.ts'
import type { Judged } from '../../stages/alert/step.ts'

const MAX_SAMPLES = 5
const MAX_TITLE = 200
/** Maximum number of alerts listed; further ones are counted. */
const MAX_ALERTS = 100

/** The outcome of one page. */
export interface PageResult {
  readonly records: number
  readonly stored: number
  readonly filtered: number
  readonly failing: ReadonlyMap<string, number>
  readonly judged: readonly Judged[]
  readonly known: readonly Judged[]
  readonly windows: readonly AlertWindow[]
  readonly opened: readonly AlertWindow[]
}

/** The report with a page's result added. */
export function addPage(report: ReplayReport, page: PageResult): ReplayReport {
  const failing: Record<string, number> = { ...report.failing }
  for (const [reason, n] of page.failing) failing[reason] = (failing[reason] ?? 0) + n
  return {
    records: report.records + page.records,
    stored: report.stored + page.stored,
    filtered: report.filtered + page.filtered,
    failing,
    rules: addFindings(report.rules, page),
    alerts: report.alerts + page.opened.length,
    firstAlerts: addAlerts(report.firstAlerts, page),
  }
}

function addFindings(before: readonly RuleTally[], { judged, known }: PageResult): RuleTally[] {
  const byRule = new Map(before.map((tally) => [tally.ruleId, tally]))
  const tallyOf = (ruleId: string): RuleTally => byRule.get(ruleId) ?? { ruleId, matches: 0, known: 0, errors: 0, samples: [] }
  for (const item of known) {
    const tally = tallyOf(item.finding.ruleId)
    byRule.set(tally.ruleId, { ...tally, known: tally.known + 1 })
  }
  for (const { finding, event } of judged) {
    const tally = tallyOf(finding.ruleId)
    if (finding.kind === 'error') {
      const lastError = finding.message.slice(0, 4 * MAX_TITLE)
      byRule.set(tally.ruleId, { ...tally, errors: tally.errors + 1, lastError })
      continue
    }
    const title = finding.title.slice(0, MAX_TITLE).toWellFormed()
    const sample = event && { time: event.p_event_time, rowId: event.p_row_id, logType: event.p_log_type, title }
    const samples = sample && tally.samples.length < MAX_SAMPLES ? [...tally.samples, sample] : tally.samples
    byRule.set(tally.ruleId, { ...tally, matches: tally.matches + 1, samples })
  }
  return [...byRule.values()]
}

/** Listed alerts grow with their windows. */
function addAlerts(before: readonly ReplayAlert[], { windows, opened }: PageResult): ReplayAlert[] {
  const now = new Map(windows.map((window) => [window.alertId, window]))
  const updated = before.map((alert) => {
    const window = now.get(alert.alertId)
    return window ? listedAlert(window) : alert
  })
  return [...updated, ...opened.slice(0, Math.max(0, MAX_ALERTS - updated.length)).map(listedAlert)]
}

/** An alert as reports list it. */
export function listedAlert({ alertId, ruleId, severity, eventCount, body }: AlertWindow): ReplayAlert {
  return {
    alertId,
    ruleId,
    type: body.type,
    title: body.title.slice(0, MAX_TITLE).toWellFormed(),
    dedup: body.dedup.slice(0, MAX_TITLE).toWellFormed(),
    severity,
    events: eventCount,
    firstEventTime: body.firstEventTime,
    lastEventTime: body.lastEventTime,
  }
}
