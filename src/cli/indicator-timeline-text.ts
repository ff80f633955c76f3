import type { z } from 'zod'
import type { indicatorTimelineSchema } from '../api/routes/timeline.ts'
import { printable } from '../util/terminal.ts'
import { columns } from './columns.ts'
import type { Io } from './io.ts'
import { bold, count, counted, severityText } from './style.ts'

type Page = z.output<typeof indicatorTimelineSchema>
type Overview = NonNullable<Page['overview']>
type Count = Overview['counts'][number]

/** Hours that are listed one by one; more are summed up by day. */
const MAX_STARTS = 48
/** Log types that have a column in the counts. */
const MAX_TYPES = 5
const MAX_VALUES = 5

/** What was found about an indicator, before its events: how many by log type and time, and the alerts. */
export function overviewLines(indicator: string, { since, until, notices, overview }: Page, io: Io): string[] {
  const { values, counts, alerts, alerts_cut, elsewhere } = overview!
  const types = byType(counts)
  const events = types.reduce((sum, [, n]) => sum + n, 0)
  const named = alerts.length === 0 ? 'no alerts' : `${alerts_cut ? 'more than ' : ''}${counted(alerts.length, 'alert')}`
  const what = `${counted(events, 'event')} of ${counted(types.length, 'log type')}, ${named}`
  const others = values.filter((value) => value !== indicator)
  const spelled = others.length > 0 ? [`Also spelled ${printable(some(others))}.`] : []
  return [
    bold(io, indicator),
    `${short(since)} to ${short(until)}: ${events === 0 ? 'nothing was found' : what}.`,
    ...notices.map((notice) => `Note: ${printable(notice)}.`),
    ...elsewhereLines(elsewhere),
    ...spelled,
    ...countLines(overview!, types, io),
    ...alertLines(overview!, io),
  ]
}

/** A line for each event, newest first. */
export function eventLines(results: Page['results'], io: Io): string[] {
  if (results.length === 0) return []
  const rows = results.map(({ time, log_type, source_label, summary }) => [
    { text: time.replace(/(\.\d{3})\d+Z$/, '$1Z') },
    { text: log_type },
    { text: source_label },
    { text: summary },
  ])
  return ['', ...columns(['TIME', 'LOG TYPE', 'SOURCE', 'EVENT'], rows, widthOf(io))]
}

/** When to look instead. */
function elsewhereLines(elsewhere: Overview['elsewhere']): string[] {
  const [latest] = elsewhere
  if (!latest) return []
  const others = elsewhere.length > 1 ? `, and in ${counted(elsewhere.length - 1, 'other log type')} before` : ''
  const last = short(latest.last)
  return [
    `It was last seen at ${printable(last)} in ${printable(latest.log_type)}${others}: --around ${printable(last)} shows that time.`,
  ]
}

function countLines({ counts, counted_by }: Overview, types: readonly [string, number][], io: Io): string[] {
  if (counts.length === 0) return []
  const starts = new Set(counts.map(({ start }) => start))
  const isDaily = counted_by === 'day' || starts.size > MAX_STARTS
  const shown = types.slice(0, MAX_TYPES).map(([type]) => type)
  const head = types.length > MAX_TYPES ? [...shown, 'OTHERS'] : shown
  const rows = new Map<string, number[]>()
  for (const { log_type, start, events } of counts) {
    const key = isDaily ? start.slice(0, 10) : short(start)
    const row = rows.get(key) ?? head.map(() => 0)
    rows.set(key, row)
    const at = shown.indexOf(log_type)
    row[at < 0 ? shown.length : at]! += events
  }
  const cells = [...rows].map(([key, row]) => [
    { text: key },
    ...row.map((n) => ({ text: n === 0 ? '·' : count(n), isNumber: true })),
  ])
  return ['', ...columns([isDaily ? 'DAY' : 'HOUR', ...head], cells, widthOf(io))]
}

function alertLines({ alerts, alerts_cut }: Overview, io: Io): string[] {
  if (alerts.length === 0) return []
  const rows = alerts.map(({ alert_id, created_time, severity, status, matches, title }) => [
    { text: alert_id.slice(0, 8) },
    { text: short(created_time) },
    { text: severity, paint: (padded: string) => severityText(io, severity, padded) },
    { text: status },
    { text: count(matches), isNumber: true },
    { text: title },
  ])
  const more = alerts_cut ? ['There are more alerts: a shorter time shows all of them.'] : []
  return ['', ...columns(['ALERT', 'CREATED', 'SEVERITY', 'STATUS', 'MATCHES', 'TITLE'], rows, widthOf(io)), ...more]
}

/** Log types with their number of events, the most first. */
function byType(counts: readonly Count[]): [string, number][] {
  const types = new Map<string, number>()
  for (const { log_type, events } of counts) types.set(log_type, (types.get(log_type) ?? 0) + events)
  return [...types].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
}

function some(values: readonly string[]): string {
  const more = values.length > MAX_VALUES ? ` and ${count(values.length - MAX_VALUES)} more` : ''
  return `${values.slice(0, MAX_VALUES).join(', ')}${more}`
}

function short(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z')
}

function widthOf({ isTty, columns }: Io): number {
  return isTty ? columns : Number.POSITIVE_INFINITY
}
