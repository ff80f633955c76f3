import { type Command, Option } from 'commander'
import type { z } from 'zod'
import type { replaySchema } from '../../api/routes/replays.ts'
import type { Client } from '../client.ts'
import { columns } from '../columns.ts'
import { Exit } from '../exit.ts'
import type { Io } from '../io.ts'
import { replayText } from '../replay-text.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { momentOf } from '../times.ts'

export type ReplayView = z.output<typeof replaySchema>

interface StartFlags extends ServerFlags {
  readonly dryRun?: boolean
  readonly deliver?: boolean
  readonly wait: boolean
}

/** Flags that choose dead letters. */
export interface LetterChoice {
  readonly source: readonly string[]
  readonly reason: readonly string[]
  readonly since?: string
}

type LetterFlags = StartFlags & LetterChoice

interface EventFlags extends StartFlags {
  readonly logType: readonly string[]
  readonly rule: readonly string[]
  readonly from: string
  readonly to?: string
  readonly received?: boolean
  readonly asOf?: string
}

const PATH = '/api/v1/replays'
const LOOK_MS = 500

const HELP = `
Times: 2024-03-01, 2024-03-01T10:00:00Z, or a span before now: 90m, 24h, 30d.
Exit code: 1 the replay failed or was cancelled.

Examples:
  caracal replay dead-letters --dry-run
  caracal replay dead-letters --source web --reason missing_field
  caracal replay events --log-type Zeek.Conn --from 30d --dry-run
  caracal replay events --rule Tor.SSH.Login --from 2024-03-01 --to 2024-04-01`

export function registerReplay(program: Command, io: Io): void {
  const replay = program
    .command('replay')
    .summary('judge the past again: dead letters, stored events')
    .description('Parses dead letters again after a fix, and judges stored events again with the rules and tables in force.')
    .addHelpText('after', HELP)
  registerLetterReplay(replay.command('dead-letters'), io)
  startable(replay.command('events').description('Judge stored events again with the rules and tables in force.'))
    .option('--log-type <name>', 'events of this log type; may be given several times', collect, [])
    .option('--rule <id>', 'only by this rule; may be given several times', collect, [])
    .requiredOption('--from <time>', 'events since then')
    .option('--to <time>', 'events before then; now if absent')
    .option('--received', 'the range is about when events were received, not about their own time')
    .option('--as-of <time>', 'join events with the tables in force at that time')
    .action(({ logType, rule, from, to, received, asOf, ...flags }: EventFlags) => {
      const body = {
        kind: 'events',
        log_types: logType,
        rules: rule,
        from: momentOf('--from', from),
        ...(to && { to: momentOf('--to', to) }),
        ...(received && { by: 'received' }),
        ...(asOf && { as_of: momentOf('--as-of', asOf) }),
      }
      return start(body, flags, io)
    })
  withServer(replay.command('list').description('List replays, newest first; with --json one a line.')).action(
    async (flags: ServerFlags) => {
      const results = await clientOf(flags, io).all<ReplayView>(PATH)
      if (flags.json) return io.out(results.map((one) => `${JSON.stringify(one)}\n`).join(''))
      io.out(results.length > 0 ? `${table(results, io).join('\n')}\n` : 'No replays.\n')
    },
  )
  withServer(replay.command('show <id>').description('Show the progress and results of a replay.')).action(
    async (id: string, flags: ServerFlags) => print(await clientOf(flags, io).json<ReplayView>(pathOf(id)), flags, io),
  )
  withServer(replay.command('cancel <id>').description('End a replay where it is; what it has stored stays.')).action(
    async (id: string, flags: ServerFlags) =>
      print(await clientOf(flags, io).json<ReplayView>(pathOf(id), { method: 'DELETE' }), flags, io),
  )
}

/** Makes it the command that replays dead letters. */
export function registerLetterReplay(command: Command, io: Io): void {
  choosingLetters(
    startable(command.description('Parse dead letters again; those that are events now are stored and judged.')),
  ).action(({ source, reason, since, ...flags }: LetterFlags) => {
    const body = { kind: 'dead-letters', sources: source, reasons: reason, ...(since && { since: momentOf('--since', since) }) }
    return start(body, flags, io)
  })
}

/** Adds the options that choose dead letters. */
export function choosingLetters(command: Command): Command {
  return command
    .option('--source <id>', 'only those of this source; may be given several times', collect, [])
    .option('--reason <reason>', 'only those with this reason; may be given several times', collect, [])
    .option('--since <time>', 'only those received since then')
}

function startable(command: Command): Command {
  return withServer(command)
    .option('--dry-run', 'report what would happen without changing anything')
    .addOption(new Option('--deliver', 'send alerts to their destinations (dead letters: unless --no-deliver)'))
    .addOption(new Option('--no-deliver', 'send no alert to a destination').default(undefined))
    .option('--no-wait', 'do not wait until it is over')
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

function pathOf(id: string): string {
  return `${PATH}/${encodeURIComponent(id)}`
}

async function start(body: object, { dryRun, deliver, wait, ...flags }: StartFlags, io: Io): Promise<void> {
  const client = clientOf(flags, io)
  const whole = { ...body, dry_run: dryRun ?? false, ...(deliver !== undefined && { deliver }) }
  const begun = await client.json<ReplayView>(PATH, { method: 'POST', body: whole })
  if (!wait) return print(begun, flags, io)
  const replay = await over(begun, client, flags, io)
  print(replay, flags, io)
  if (replay.state !== 'done') throw new Exit(1)
}

/** Shows progress until the replay is over. Ctrl-C does not cancel it. */
async function over(begun: ReplayView, client: Client, { json }: ServerFlags, io: Io): Promise<ReplayView> {
  const interrupt = new AbortController()
  const dispose = io.onInterrupt(() => interrupt.abort())
  let replay = begun
  let reported = ''
  try {
    while ((replay.state === 'queued' || replay.state === 'running') && !interrupt.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      replay = await client.json<ReplayView>(pathOf(begun.id))
      const { read, of } = replay.records
      const text = `${replay.state}, ${read} of ${of ?? '?'} records`
      if (io.isTty && !json && text !== reported) io.err(`${text}\n`)
      reported = text
    }
  } finally {
    dispose()
  }
  if (interrupt.signal.aborted) io.err(`Replay ${begun.id} goes on; \`caracal replay cancel ${begun.id}\` ends it.\n`)
  return replay
}

function print(replay: ReplayView, { json }: ServerFlags, io: Io): void {
  io.out(json ? `${JSON.stringify(replay)}\n` : `${replayText(replay).join('\n')}\n`)
}

function table(replays: readonly ReplayView[], io: Io): string[] {
  const rows = replays.map(({ id, kind, state, dry_run, created_time, records, stored, rules, alerts }) => [
    { text: id },
    { text: created_time.replace(/\.\d+Z$/, 'Z') },
    { text: dry_run ? `${kind}, dry run` : kind },
    { text: state },
    { text: `${records.read} of ${records.of ?? '?'}` },
    { text: String(stored), isNumber: true },
    { text: String(rules.reduce((sum, { matches }) => sum + matches, 0)), isNumber: true },
    { text: String(alerts), isNumber: true },
  ])
  const head = ['ID', 'CREATED', 'KIND', 'STATE', 'RECORDS', 'STORED', 'MATCHES', 'ALERTS']
  return columns(head, rows, io.isTty ? io.columns : Number.POSITIVE_INFINITY)
}
