import { type Command, Option } from 'commander'
import type { z } from 'zod'
import type { indicatorTimelineSchema } from '../../api/routes/timeline.ts'
import { KINDS } from '../../api/timeline/terms.ts'
import { isObject, type JsonObject } from '../../model/json.ts'
import { parseJson, stringifyJson } from '../../util/json.ts'
import { UsageError } from '../exit.ts'
import { eventLines, overviewLines } from '../indicator-timeline-text.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { momentOf } from '../times.ts'

type Page = z.output<typeof indicatorTimelineSchema>

interface Flags extends ServerFlags {
  readonly around?: string
  readonly window: string
  readonly since?: string
  readonly until?: string
  readonly kind?: string
  readonly limit: number
}

const HELP = `
What it is (an address, a user, a domain, a hash …) is recognised by its look; --kind decides. Case does not matter, nor how an IPv6
address is spelled. Without times, the timeline shows the last 24 hours. With --json the first line has the counts and alerts, and each
further line is an event.

Examples:
  caracal timeline 203.0.113.9
  caracal timeline ana --kind user --since 7d
  caracal timeline 203.0.113.9 --around 2024-04-19T10:00:00Z --window 15m
  caracal timeline login.example.com --since 30d --limit 1000 --json`

export function registerTimeline(program: Command, io: Io): void {
  withServer(program.command('timeline').summary('everything the logs say about an address, a user, a host or a hash'))
    .description('Shows every event and alert that names an indicator, across all log types, newest first.')
    .argument('<indicator>', 'an address, a user, a domain, a hash …')
    .addOption(new Option('--kind <kind>', 'what it is').choices(KINDS))
    .option('--around <time>', 'the time before and after this one')
    .option('--window <span>', 'with --around: how much of it, as in 15m, 1h or 2d', '1h')
    .option('--since <time>', 'from this time on, or a span before now such as 7d')
    .option('--until <time>', 'before this time')
    .option('--limit <n>', 'maximum number of events', wholeNumber, 50)
    .addHelpText('after', HELP)
    .action((indicator: string, flags: Flags) => timeline(indicator, flags, io))
}

const MAX_LIMIT = 100_000
const PAGE = 200
/** The depth of an event within the response. */
const MAX_DEPTH = 1020

async function timeline(indicator: string, flags: Flags, io: Io): Promise<void> {
  const asked = new URLSearchParams({ indicator, ...(flags.kind && { kind: flags.kind }), ...rangeOf(flags) })
  const client = clientOf(flags, io)
  const shown: Page['results'] = []
  let found = 0
  let cursor: string | null = null
  do {
    const query = new URLSearchParams(asked)
    query.set('limit', String(Math.min(PAGE, flags.limit - found)))
    if (cursor !== null) query.set('cursor', cursor)
    const text = await (await client.call(`/api/v1/timeline?${query}`)).text()
    const page = JSON.parse(text) as Page
    if (flags.json) await printJson(text, io)
    else {
      if (page.overview) await io.write(`${overviewLines(indicator, page, io).join('\n')}\n`)
      shown.push(...page.results)
    }
    found += page.results.length
    cursor = page.next
  } while (cursor !== null && found < flags.limit)
  if (flags.json) return
  for (const line of eventLines(shown, io)) await io.write(`${line}\n`)
  if (cursor !== null) io.err(`There are more events: --limit ${flags.limit * 2} shows them.\n`)
}

/** The overview, if the page has one, and the events, each as a line with its exact numbers. */
async function printJson(text: string, io: Io): Promise<void> {
  const parsed = parseJson(text, { maxDepth: MAX_DEPTH })
  if (parsed.kind !== 'ok' || !isObject(parsed.value)) throw new Error('the result is incomplete: the connection ended too early')
  const { since, until, overview, results } = parsed.value
  const first = overview === null ? [] : [{ since, until, ...(overview as JsonObject) }]
  for (const line of [...first, ...(results as JsonObject[])]) await io.write(`${stringifyJson(line as JsonObject)}\n`)
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

function rangeOf({ around, window, since, until }: Flags): Record<string, string> {
  if (around === undefined)
    return { ...(since && { since: momentOf('--since', since) }), ...(until && { until: momentOf('--until', until) }) }
  if (since !== undefined || until !== undefined) throw new UsageError('give --around, or --since and --until, not both')
  const span = /^([1-9]\d{0,5})([mhd])$/.exec(window)
  if (!span) throw new UsageError(`--window '${window}' is not a span: give one such as 15m, 1h or 2d`)
  const [at, ms] = [Date.parse(momentOf('--around', around)), Number(span[1]) * UNITS[span[2]!]!]
  return { since: new Date(at - ms).toISOString(), until: new Date(at + ms).toISOString() }
}

function wholeNumber(text: string): number {
  const n = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (n < 1 || n > MAX_LIMIT) throw new UsageError(`--limit '${text}' is not a number from 1 to ${MAX_LIMIT}`)
  return n
}
