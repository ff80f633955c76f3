import { type Command, InvalidArgumentError, Option } from 'commander'
import type { z } from 'zod'
import type { ruleSchema } from '../../api/routes/rules.ts'
import { MAX_WINDOWS_PER_RULE } from '../../model/limit.ts'
import { printable } from '../../util/terminal.ts'
import { columns } from '../columns.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { count, counted } from '../style.ts'
import { registerRuleVersions } from './rule-versions.ts'

type Rule = z.output<typeof ruleSchema>

const STATES = ['on', 'off', 'waiting', 'erring'] as const

const HELP = `
States: on; off (disabled, or it cannot be loaded); waiting (it could not be loaded in time, and is tried again);
erring (it runs, and had an error within the hour). Matches and errors are counted since the start.
Below the list: why a rule is not simply on, what overrides.yml sets, and the times in which the rule was off, so that nothing was
judged by it.

Examples:
  caracal rules
  caracal rules --state waiting,erring
  caracal rules show Tor.SSH.Login`

export function registerRules(program: Command, io: Io): void {
  const state = new Option('--state <states>', `only rules in these states: ${STATES.join(', ')}`).argParser(statesOf)
  const group = program
    .command('rules')
    .summary('rules, their state, what they missed, and what they were before')
    .description('Lists rules; `rules show` shows one of them and its versions, `rules restore` brings a version back.')
  registerRuleVersions(group, io)
  withServer(group.command('list', { isDefault: true }).description('List rules and their state; with --json one per line.'))
    .addOption(state)
    .addHelpText('after', HELP)
    .action(async (flags: ServerFlags & { readonly state?: readonly string[] }) => {
      const results = await clientOf(flags, io).all<Rule>('/api/v1/rules')
      const rules = results.filter((rule) => flags.state?.includes(rule.state) ?? true)
      if (flags.json) return io.out(rules.map((rule) => `${JSON.stringify(rule)}\n`).join(''))
      io.out(rules.length > 0 ? `${list(rules, io).join('\n')}\n` : 'No rules.\n')
    })
}

function statesOf(text: string): readonly string[] {
  const states = text.split(',').map((word) => word.trim())
  const unknown = states.find((word) => !STATES.some((known) => known === word))
  if (unknown !== undefined) throw new InvalidArgumentError(`'${unknown}' is not one of ${STATES.join(', ')}.`)
  return states
}

function list(rules: readonly Rule[], io: Io): string[] {
  const rows = rules.map(({ id, state, since, severity, matches, errors, log_types }) => [
    { text: id },
    { text: state },
    { text: since ?? '-' },
    { text: severity },
    { text: count(matches), isNumber: true },
    { text: count(errors), isNumber: true },
    { text: log_types.join(', ') },
  ])
  const width = io.isTty ? io.columns : Number.POSITIVE_INFINITY
  const notes = rules.flatMap(notesOf)
  return [
    ...columns(['RULE', 'STATE', 'SINCE', 'SEVERITY', 'MATCHES', 'ERRORS', 'LOG TYPES'], rows, width),
    ...(notes.length > 0 ? ['', ...notes] : []),
  ]
}

/** The effect of reaching a limit. */
const LIMITS: Readonly<Record<Rule['limits'][number]['what'], (n: number) => string>> = {
  dedup: (n) =>
    `${n === 1 ? '1 match' : `${count(n)} matches`} shared an alert, since it may have ${count(MAX_WINDOWS_PER_RULE)} windows`,
  unique: (n) => `${counted(n, 'window')} only estimated the number of distinct values`,
  cache: (n) => `${n === 1 ? '1 entry' : `${count(n)} entries`} of its cache were evicted for newer ones`,
}

function notesOf({ id, why, enabled, not_judged, limits, overrides }: Rule): string[] {
  const notes = why !== null && enabled ? [`${id}: ${why}`] : []
  const set = overrides.map(({ key, file, line }) => `${key} (${line === null ? file : `${file}:${line}`})`)
  if (set.length > 0) notes.push(`${id}: overridden: ${set.join(', ')}`)
  for (const { what, count: n, last } of limits) notes.push(`${id}: ${LIMITS[what](n)}; last at ${last}`)
  for (const { from, to, events, log_types, replay } of not_judged) {
    const what = events > 0 ? `${counted(events, 'event')} of` : 'everything of'
    notes.push(
      `${id}: from ${from} to ${to ?? 'now'} it did not judge ${what} ${log_types.join(', ') || 'its log types'}${replay === null ? '' : `; replay ${replay} did so later`}`,
    )
  }
  return notes.map(printable)
}
