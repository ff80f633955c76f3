import type { Command } from 'commander'
import { pause } from '../../util/pause.ts'
import { backtestMarkdown, backtestText } from '../backtest-text.ts'
import type { Client } from '../client.ts'
import { contentTexts, contentTextsAt } from '../content-texts.ts'
import { Exit, UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { count } from '../style.ts'
import { momentOf } from '../times.ts'
import type { ReplayView } from './replay.ts'

interface Flags extends ServerFlags {
  readonly since: string
  readonly until?: string
  readonly received?: boolean
  readonly against?: string
  readonly asOf?: string
  readonly maxEvents?: number
  readonly maxSeconds?: number
  readonly markdown?: boolean
}

const LOOK_MS = 500
/** Exit code of a command that was stopped with Ctrl-C. */
const INTERRUPTED = 130

const HELP = `
The path is a folder with content, or the YAML file of a rule (with the Python files next to it). Its rules are compared with those in
force, or with --against with the same files at a commit, branch or tag of their git repository. Nothing is stored or delivered.
Ctrl-C cancels it.
Exit code: 0 whatever the difference; 1 the backtest failed, or the content cannot be used; 2 usage.

Examples:
  caracal backtest rules/login.yml --since 7d
  caracal backtest rules --since 30d --against origin/main --markdown
  caracal backtest rules --since 2024-03-01 --until 2024-04-01 --as-of 2024-04-01`

export function registerBacktest(program: Command, io: Io): void {
  withServer(program.command('backtest').summary('what changed rules would have found, compared with those in force'))
    .description('Judges stored events by rules that are not in force, and shows which alerts would be new and which gone.')
    .argument('<path>', 'a folder with content, or the YAML file of a rule')
    .requiredOption('--since <time>', 'stored events from this time on, or a span before now such as 7d')
    .option('--until <time>', 'events before this time; now if absent')
    .option('--received', 'the times are about when events were received, not about their own time')
    .option('--against <ref>', 'compare with the same files at this commit, branch or tag')
    .option('--as-of <time>', 'join events with the tables in force at that time')
    .option('--max-events <n>', 'end after this number of events (default: 1000000)', wholeNumber('--max-events'))
    .option('--max-seconds <n>', 'end after judging for this number of seconds (default: 900)', wholeNumber('--max-seconds'))
    .option('--markdown', 'the result in Markdown, as for a pull request')
    .addHelpText('after', HELP)
    .action((path: string, flags: Flags) => backtest(path, flags, io))
}

async function backtest(path: string, flags: Flags, io: Io): Promise<void> {
  const { since, until, received, against, asOf, maxEvents, maxSeconds, markdown, json } = flags
  if (markdown && json) throw new UsageError('give --markdown or --json, not both')
  const files = await contentTexts(path)
  const body = {
    files,
    ...(against !== undefined && { against: await contentTextsAt(path, against, io) }),
    from: momentOf('--since', since),
    ...(until && { to: momentOf('--until', until) }),
    ...(received && { by: 'received' }),
    ...(asOf && { as_of: momentOf('--as-of', asOf) }),
    ...(maxEvents && { max_events: maxEvents }),
    ...(maxSeconds && { max_seconds: maxSeconds }),
  }
  const client = clientOf(flags, io)
  const begun = await client.json<ReplayView>('/api/v1/backtests', { method: 'POST', body })
  const view = await over(begun, client, flags, io)
  const compared = { path, against }
  if (json) await io.write(`${JSON.stringify(view)}\n`)
  else await io.write(`${(markdown ? backtestMarkdown(view, compared) : backtestText(view, compared, io)).join('\n')}\n`)
  if (view.state !== 'done') throw new Exit(1)
}

/** Shows progress until the backtest is over; Ctrl-C cancels it. */
async function over(begun: ReplayView, client: Client, { json }: Flags, io: Io): Promise<ReplayView> {
  const interrupt = new AbortController()
  const dispose = io.onInterrupt(() => interrupt.abort())
  const path = `/api/v1/replays/${begun.id}`
  let view = begun
  let reported = ''
  try {
    while ((view.state === 'queued' || view.state === 'running') && !interrupt.signal.aborted) {
      await pause(LOOK_MS, interrupt.signal)
      view = await client.json<ReplayView>(path)
      const { read, of } = view.records
      const text = `${view.state}, ${count(read)} of ${of === null ? '?' : count(of)} events`
      if (io.isTty && !json && text !== reported) io.err(`${text}\n`)
      reported = text
    }
  } finally {
    dispose()
  }
  if (!interrupt.signal.aborted) return view
  await client.json<ReplayView>(path, { method: 'DELETE' })
  io.err('The backtest was cancelled.\n')
  throw new Exit(INTERRUPTED)
}

function wholeNumber(option: string): (text: string) => number {
  return (text) => {
    if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`${option} '${text}' is not a positive integer`)
    return Number(text)
  }
}
