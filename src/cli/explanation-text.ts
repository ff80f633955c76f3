import type { z } from 'zod'
import type { explanationSchema } from '../api/explanation-view.ts'
import { printable } from '../util/terminal.ts'
import type { Io } from './io.ts'
import { bold, counted, faint } from './style.ts'

type View = z.output<typeof explanationSchema>
type Step = View['steps'][number]

const VERDICTS: Readonly<Record<View['verdict'], string>> = {
  match: 'matches',
  no_match: 'does not match',
  not_judged: 'does not judge this event',
  error: 'fails',
  depends: 'depends on other events',
}

const MAX_READS = 15

/** An explanation for people. */
export function explanationText(view: View, io: Io): string {
  const lines = [
    `${bold(io, view.rule_id)}  ${bold(io, VERDICTS[view.verdict])}`,
    printable(view.summary),
    '',
    ...facts(view, io),
    '',
    ...view.checks.flatMap(({ what, passed, detail, decided }) => [
      `${mark(passed)} ${what.padEnd(9)}  ${printable(detail)}`,
      ...(passed ? [] : decided.flatMap((step) => conditionLines(step, '    ', io))),
    ]),
    ...codeLines(view, io),
    ...memberLines(view, io),
    ...alertLines(view, io),
    ...view.notes.map((note) => `\nNote: ${printable(note)}.`),
  ]
  return `${lines.join('\n')}\n`
}

function facts({ definition, file, rule_version, log_type, row_id }: View, io: Io): string[] {
  const list = [
    ['Rule', `${definition}${file === definition ? '' : `, ${file}`} (version ${rule_version})`],
    ['Event', `${log_type || 'unknown log type'}${row_id === null ? '' : ` ${row_id}`}`],
  ]
  return list.map(([name, text]) => `${faint(io, name!.padEnd(5))}  ${printable(text!)}`)
}

function codeLines(view: View, io: Io): string[] {
  const { result, verdict, steps, decided, reads, error } = view
  const title =
    verdict === 'not_judged' ? `Its code ${result === 'match' ? 'would match' : VERDICTS[result]}` : 'Conditions tested'
  const last = new Set(decided.slice(0, 1).map(placeOf))
  const earlier = steps.filter((step) => !last.has(placeOf(step)))
  const shown = [
    ...earlier.flatMap((step) => conditionLines(step, '  ', io)),
    ...decided.flatMap((step, depth) => decidingLines(step, depth, io)),
    ...(error === null ? [] : [`  ${printable(error)}`]),
  ]
  const known = new Set([...steps, ...decided].flatMap(({ values }) => values.map(({ part }) => part)))
  const others = reads.filter(({ text }) => !known.has(text))
  const more = others.length - MAX_READS
  return [
    ...(shown.length > 0 ? ['', bold(io, title), ...shown] : []),
    ...(others.length > 0 ? ['', bold(io, 'Also read')] : []),
    ...others
      .slice(0, MAX_READS)
      .map(({ line, text, value }) => `  ${faint(io, `line ${line}`)}  ${printable(text)} = ${printable(value)}`),
    ...(more > 0 ? [faint(io, `  and ${counted(more, 'other')}: --json shows them`)] : []),
  ]
}

/** One condition, with the values of its parts below it. */
function conditionLines({ file, line, text, outcome, kind, values }: Step, indent: string, io: Io): string[] {
  const place = line > 0 ? faint(io, `${nameOf(file)}:${line}  `) : ''
  const result = kind === 'loop' ? 'ended' : outcome
  return [
    `${indent}${place}${printable(text)}  ${bold(io, result)}`,
    ...valueLines(values, { text, outcome }, `${indent}    `, io),
  ]
}

function decidingLines(step: Step, depth: number, io: Io): string[] {
  const { file, line, source, text, values, outcome, kind } = step
  const where = line > 0 ? `${file}:${line}` : file

  const within = source !== null && source.length > text.length && source.replace(/\s+/g, ' ').includes(text)
  return [
    `${depth === 0 ? '>' : ' '} ${faint(io, `${where} in ${step.function}`)}`,
    ...(within ? [`      ${printable(source)}`] : []),
    `      ${printable(text)}  ${kind === 'return' ? 'returned ' : ''}${bold(io, kind === 'loop' ? 'ended' : outcome)}`,
    ...valueLines(values, step, '        ', io),
  ]
}

/** Nothing about the whole condition that its outcome says already. */
function valueLines(values: Step['values'], { text, outcome }: Pick<Step, 'text' | 'outcome'>, indent: string, io: Io): string[] {
  const news = values.filter(({ part, value }) => part !== text || value !== outcome)
  return news.map(({ part, value }) => `${indent}${faint(io, part === text ? 'it' : part)} = ${printable(value)}`)
}

function memberLines({ members }: View, io: Io): string[] {
  if (members.length === 0) return []
  return [
    '',
    bold(io, 'Its rules'),
    ...members.map(({ rule_id, verdict, summary }) => `  ${mark(verdict === 'match')} ${printable(`${rule_id}: ${summary}`)}`),
  ]
}

function alertLines({ alert, verdict }: View, io: Io): string[] {
  if (!alert) return []
  const { severity, title, dedup, threshold, dedup_period_minutes: minutes, create_alert, function_errors } = alert
  const window = `dedup string '${dedup}', one alert in ${counted(minutes, 'minute')}`
  const needs = threshold > 1 ? `, once there are ${threshold} matches` : ''
  return [
    '',
    bold(io, verdict === 'match' ? 'Alert' : 'Alert that it would be'),
    `  ${printable(`${severity}  ${title}`)}`,
    `  ${printable(create_alert ? window + needs : 'CreateAlert is false: the match is only stored')}`,
    ...Object.entries(function_errors).map(([name, error]) => `  ${printable(`${name}() failed: ${error}`)}`),
  ]
}

function mark(passed: boolean): string {
  return passed ? '+' : '-'
}

function placeOf({ file, line, function: name, text }: Step): string {
  return `${file}\0${line}\0${name}\0${text}`
}

function nameOf(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1)
}
