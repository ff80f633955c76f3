import { type Command, Option } from 'commander'
import { ALERT_STATUSES } from '../model/alert.ts'
import { ALERT_QUALITIES } from '../model/alert-work.ts'
import { SEVERITIES } from '../model/rule.ts'
import { UsageError } from './exit.ts'
import { momentOf } from './times.ts'

/** Options that select alerts. */
export interface AlertChoice {
  readonly severity?: readonly string[]
  readonly status?: readonly string[]
  readonly rule?: string
  readonly owner?: string
  readonly nobody?: boolean
  readonly quality?: string
  readonly tag?: string
  readonly logType?: string
  readonly indicator?: string
  readonly text?: string
  readonly since?: string
  readonly until?: string
  readonly muted?: boolean
  readonly mute?: string
  readonly merged?: boolean
  readonly held?: boolean
}

export function choosingAlerts(command: Command): Command {
  return command
    .addOption(severalOf('--severity <severity>', 'only alerts with this severity; may be repeated', SEVERITIES))
    .addOption(severalOf('--status <status>', 'only alerts with this status; may be repeated', ALERT_STATUSES))
    .option('--rule <id>', 'only alerts of this rule')
    .option('--owner <name>', 'only alerts of this owner')
    .option('--nobody', 'only alerts without an owner')
    .addOption(oneOf('--quality <quality>', 'only alerts of this quality', ALERT_QUALITIES))
    .option('--tag <tag>', 'only alerts with this tag, of the rule or of the alert')
    .option('--log-type <type>', 'only alerts with events of this log type')
    .option('--indicator <value>', 'only alerts with this indicator, such as an address')
    .option('--text <text>', 'only alerts with this text in title, rule, dedup string or indicators')
    .option('--since <time>', 'only alerts opened at or after this time')
    .option('--until <time>', 'only alerts opened before this time')
    .option('--muted', 'only muted alerts, which are not listed otherwise')
    .option('--mute <id>', 'only alerts that this mute covers')
    .option('--merged', 'only alerts that were merged into another, which are not listed otherwise')
    .option('--held', 'only alerts on hold, also muted and merged ones')
}

/** The options as a filter of the API. */
export function filterOf(choice: AlertChoice): Record<string, string | readonly string[]> {
  const {
    severity,
    status,
    rule,
    owner,
    nobody,
    quality,
    tag,
    logType,
    indicator,
    text,
    since,
    until,
    muted,
    mute,
    merged,
    held,
  } = choice
  if (nobody && owner !== undefined) throw new UsageError('--owner and --nobody exclude each other')
  const filter = {
    severity,
    status,
    rule,
    owner: nobody ? '' : owner,
    quality,
    tag,
    log_type: logType,
    indicator,
    text,
    since: since && momentOf('--since', since),
    until: until && momentOf('--until', until),
    muted: muted && 'only',
    mute,
    merged: merged && 'only',
    held: held && 'only',
  }
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as Record<string, string>
}

/** Criteria of `--where`, by the names that the options of the list have. */
const CRITERIA = {
  severity: SEVERITIES,
  status: ALERT_STATUSES,
  quality: ALERT_QUALITIES,
  rule: 'text',
  owner: 'text',
  tag: 'text',
  'log-type': 'text',
  indicator: 'text',
  text: 'text',
  since: 'time',
  until: 'time',
} as const satisfies Readonly<Record<string, 'text' | 'time' | readonly string[]>>

/** `--where key=value`, repeated, as a filter of the API. Throws `UsageError`. */
export function whereOf(criteria: readonly string[]): Record<string, string | readonly string[]> {
  const filter: Record<string, string | string[]> = {}
  for (const one of criteria) {
    const [, key = '', value = ''] = /^([a-z-]+)=(.*)$/s.exec(one) ?? []
    const kind = Object.hasOwn(CRITERIA, key) ? CRITERIA[key as keyof typeof CRITERIA] : undefined
    if (kind === undefined) {
      const known = Object.keys(CRITERIA).join(', ')
      throw new UsageError(`--where '${one}' is no criterion: give name=value with one of the names ${known}`)
    }
    const name = key.replace('-', '_')
    const earlier = filter[name]
    if (key === 'severity' || key === 'status') {
      filter[name] = [...(earlier ?? []), choice(kind as readonly string[])(value)]
      continue
    }
    if (earlier !== undefined) throw new UsageError(`--where names '${key}' twice; only severity and status may be repeated`)
    filter[name] = kind === 'time' ? momentOf(`--where ${key}`, value) : kind === 'text' ? value : choice(kind)(value)
  }
  return filter
}

/** The filter as parameters of a query. */
export function queryOf(choice: AlertChoice): URLSearchParams {
  return parametersOf(filterOf(choice))
}

/** A filter of the API as parameters of a query. */
export function parametersOf(filter: Readonly<Record<string, string | readonly string[]>>): URLSearchParams {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(filter))
    for (const one of typeof value === 'string' ? [value] : value) query.append(key, one)
  return query
}

/** An option with one of the given words, in any case. */
export function oneOf(flags: string, description: string, words: readonly string[]): Option {
  return new Option(flags, description).choices(words).argParser(choice(words))
}

function severalOf(flags: string, description: string, words: readonly string[]): Option {
  const read = choice(words)
  return new Option(flags, description)
    .choices(words)
    .argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), read(text)])
}

/** One of the given words, in any case. */
export function choice<const T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const word = words.find((one) => one === text.toUpperCase())
    if (!word) throw new UsageError(`'${text}' is not one of ${words.join(', ')}`)
    return word
  }
}
