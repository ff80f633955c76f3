import { printable } from '../util/terminal.ts'
import { columns } from './columns.ts'
import type { ReplayView } from './commands/replay.ts'
import type { Io } from './io.ts'
import { bold, count, counted, severityText } from './style.ts'

type Comparison = NonNullable<ReplayView['comparison']>
type Rule = Comparison[number]
type Alert = Rule['added_alerts'][number]

/** What was compared, in words. */
export interface Compared {
  readonly path: string
  readonly against: string | undefined
}

/** The result of a backtest for a terminal. */
export function backtestText(view: ReplayView, compared: Compared, io: Io): string[] {
  const rules = view.comparison ?? []
  const rows = rules.map(({ rule_id, change, matches, alerts, errors }) => [
    { text: rule_id },
    { text: change },
    { text: changeOf(matches) },
    { text: changeOf(alerts) },
    { text: errors.before + errors.after === 0 ? '' : `${count(errors.before)} → ${count(errors.after)}` },
  ])
  const width = io.isTty ? io.columns : Number.POSITIVE_INFINITY
  return [
    bold(io, `Backtest: ${headline(rules)}`),
    printable(scope(view, compared)),
    ...(rows.length === 0 ? [] : ['', ...columns(['RULE', 'CHANGE', 'MATCHES', 'ALERTS', 'ERRORS'], rows, width)]),
    ...alertLines('+', rules, io),
    ...alertLines('−', rules, io),
    ...errorLines(rules).map(printable),
    ...(view.notes.length === 0 ? [] : ['', ...view.notes.map(printable)]),
  ]
}

/** The same in Markdown, as for a pull request. */
export function backtestMarkdown(view: ReplayView, compared: Compared): string[] {
  const rules = view.comparison ?? []
  const rows = rules.map(({ rule_id, change, matches, alerts, errors }) => {
    const failed = errors.before + errors.after === 0 ? '' : `${count(errors.before)} → ${count(errors.after)}`
    return `| ${code(rule_id)} | ${change} | ${changeOf(matches)} | ${changeOf(alerts)} | ${failed} |`
  })
  const table = ['', '| rule | change | matches | alerts | errors |', '|---|---|---|---|---|', ...rows]
  return [
    `### Backtest: ${headline(rules)}`,
    '',
    scope(view, { path: code(compared.path), against: compared.against && code(compared.against) }),
    ...(rows.length === 0 ? [] : table),
    ...details('New alerts', rules, 'added'),
    ...details('Alerts that are gone', rules, 'removed'),
    ...errorLines(rules)
      .map(code)
      .flatMap((line) => ['', line]),
    ...view.notes.flatMap((note) => ['', `> ${escaped(note)}`]),
  ]
}

/** `+3 −41 alerts`, or that nothing changes. */
function headline(rules: Comparison): string {
  const [added, removed] = [total(rules, 'added'), total(rules, 'removed')]
  return added + removed === 0 ? 'no change in alerts' : `+${count(added)} −${count(removed)} alerts`
}

function scope({ chosen, records, state }: ReplayView, { path, against }: Compared): string {
  const events = `${count(records.read)} of ${records.of === null ? '?' : counted(records.of, 'event')}`
  const by = chosen.by === 'received' ? ' received' : ''
  const ended = state === 'done' ? '' : ` (${state})`
  return `${path} against ${against ?? 'the content in force'}, ${events}${by} from ${chosen.from} to ${chosen.to}${ended}`
}

function changeOf({ before, after, added, removed }: Rule['matches']): string {
  const parts = [...(added > 0 ? [`+${count(added)}`] : []), ...(removed > 0 ? [`−${count(removed)}`] : [])]
  return `${count(before)} → ${count(after)}${parts.length > 0 ? ` (${parts.join(' ')})` : ''}`
}

function total(rules: Comparison, of: 'added' | 'removed'): number {
  return rules.reduce((sum, { alerts }) => sum + alerts[of], 0)
}

function alertLines(sign: '+' | '−', rules: Comparison, io: Io): string[] {
  const of = sign === '+' ? 'added' : 'removed'
  const alerts = rules.flatMap((rule) => rule[`${of}_alerts`])
  if (alerts.length === 0) return []
  const more = total(rules, of) - alerts.length
  const lines = alerts.map((alert) => `${sign} ${severityText(io, alert.severity)}  ${printable(alertOf(alert))}`)
  return ['', ...lines, ...(more > 0 ? [`${sign} … and ${count(more)} more`] : [])]
}

function alertOf({ title, rule_id, event_count, first_event_time }: Alert): string {
  return `${first_event_time.replace(/\.\d+Z$/, 'Z')}  ${title} (${rule_id}, ${counted(event_count, 'event')})`
}

function details(title: string, rules: Comparison, of: 'added' | 'removed'): string[] {
  const alerts = rules.flatMap((rule) => rule[`${of}_alerts`])
  if (alerts.length === 0) return []
  const more = total(rules, of) - alerts.length
  return [
    '',
    `<details><summary>${title}: ${count(total(rules, of))}</summary>`,
    '',
    ...alerts.map((alert) => `- ${alert.severity} ${code(alertOf(alert))}`),
    ...(more > 0 ? [`- … and ${count(more)} more`] : []),
    '',
    '</details>',
  ]
}

function errorLines(rules: Comparison): string[] {
  return rules.flatMap(({ rule_id, last_error }) =>
    last_error === null ? [] : [`${rule_id} fails: ${last_error.split('\n', 1)[0]}`],
  )
}

/** Untrusted text as a code span, which cannot end it or a cell of a table. */
function code(text: string): string {
  return `\`${printable(text).replaceAll('`', "'").replaceAll('|', '\\|')}\``
}

function escaped(text: string): string {
  return printable(text).replace(/[\\`*_{}[\]<>#|]/g, '\\$&')
}
