import type { z } from 'zod'
import type { ruleDetailSchema } from '../api/routes/rule-detail.ts'
import type { shownVersionSchema, versionSchema } from '../api/routes/rule-versions.ts'
import { printable } from '../util/terminal.ts'
import { columns } from './columns.ts'
import type { Io } from './io.ts'
import { count, counted } from './style.ts'

export type RuleDetail = z.output<typeof ruleDetailSchema>
export type Version = z.output<typeof versionSchema>
export type ShownVersion = z.output<typeof shownVersionSchema>

/** A rule and its versions for a terminal. */
export function ruleLines(rule: RuleDetail, versions: readonly Version[], io: Io): string[] {
  const facts = factsOf(rule).filter(([, text]) => text !== '')
  const width = Math.max(...facts.map(([name]) => name.length))
  return [
    printable(`${rule.id}: ${rule.name}`),
    ...facts.map(([name, text]) => printable(`  ${name.padEnd(width)}  ${text}`)),
    ...rule.problems.map(printable),
    '',
    ...(versions.length > 0 ? versionLines(versions, io) : ['No versions are stored.']),
  ]
}

function factsOf(rule: RuleDetail): (readonly [name: string, text: string])[] {
  const { source, alerts, last_error: error } = rule
  const code = source.code_path === null ? '' : `, ${source.code_path}`
  return [
    ['state', `${rule.state}${rule.why === null ? '' : `: ${rule.why}`}${rule.since === null ? '' : `, since ${rule.since}`}`],
    ['kind', rule.kind],
    ['severity', rule.severity],
    ['log types', rule.log_types.join(', ')],
    ['queries', rule.scheduled_queries.join(', ')],
    ['alerts on', alertsOn(rule)],
    ['destinations', rule.destinations.join(', ') || 'those that take its severity'],
    ['file', `${source.root}/${source.path}${code}${source.read_only === null ? '' : ` (${source.read_only})`}`],
    ['overrides', rule.overrides.map(({ key, file, line }) => `${key} (${line === null ? file : `${file}:${line}`})`).join(', ')],
    ['version', rule.version],
    ['alerts', `${count(alerts.raised)} since ${alerts.since.slice(0, 10)}${qualityOf(alerts)}`],
    ['matches', `${count(rule.matches)} since the start${rule.last_match === null ? '' : `, the last at ${rule.last_match}`}`],
    ['errors', `${count(rule.errors)} since the start${error === null ? '' : `, the last at ${error.time}: ${error.message}`}`],
    ['cost', costOf(rule)],
  ]
}

function alertsOn({ creates_alerts, threshold, dedup_period_minutes: minutes }: RuleDetail): string {
  if (!creates_alerts) return 'nothing: its matches are stored, and raise no alert'
  return `${threshold === 1 ? 'the first match' : `${count(threshold)} matches`} within ${counted(minutes, 'minute')}`
}

function qualityOf({ useful, noise }: RuleDetail['alerts']): string {
  return useful + noise > 0 ? `, ${count(useful)} useful, ${count(noise)} noise` : ''
}

function costOf({ cost: { seconds, share } }: RuleDetail): string {
  const part = share === null ? '' : `, ${(100 * share).toFixed(1)} % of the time of all rules`
  return `${seconds.toFixed(2)} s since the start${part}`
}

function versionLines(versions: readonly Version[], io: Io): string[] {
  const rows = versions.map((version) => [
    { text: String(version.number), isNumber: true },
    { text: version.time },
    { text: version.cause },
    { text: version.by ?? '-' },
    { text: version.is_current ? 'as now' : version.is_stored ? '' : 'not stored' },
    { text: changedIn(version) },
  ])
  return columns(['VERSION', 'TIME', 'CAUSE', 'BY', '', 'CHANGED'], rows, io.isTty ? io.columns : Number.POSITIVE_INFINITY)
}

/** `Severity, Threshold; door.py`. */
function changedIn({ files, keys }: Version): string {
  const names = files.map(({ path, change }) => (change === 'changed' ? path : `${path} ${change}`))
  return keys.length > 0 ? `${names.join(', ')}: ${keys.join(', ')}` : names.join(', ')
}

/** The files of a version, as they were. */
export function versionText({ yaml, code_path, code }: ShownVersion): string {
  if (yaml === null) return 'The texts of this version are not stored.\n'
  return code === null ? yaml : `${yaml}\n# ${code_path}\n${code}`
}

/** What a version changed. */
export function versionDiff({ number, time, by, files }: ShownVersion): string {
  const lines = [`Version ${number}, ${time}${by === null ? '' : `, ${by}`}`]
  for (const { path, change, diff } of files) {
    lines.push('', `${change} ${path}`)
    lines.push(...(diff === null ? ['(its text is not stored)'] : diff.replace(/\n$/, '').split('\n')))
  }
  return `${lines.map((line) => line.split('\t').map(printable).join('\t')).join('\n')}\n`
}
