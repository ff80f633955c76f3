import { existsSync } from 'node:fs'
import { type Command, InvalidArgumentError } from 'commander'
import type { z } from 'zod'
import type { explanationSchema } from '../../api/explanation-view.ts'
import { cacheFolder } from '../../config/env.ts'
import { contentOption, readConfig } from '../config.ts'
import { UsageError } from '../exit.ts'
import { explanationText } from '../explanation-text.ts'
import type { Io } from '../io.ts'
import { clientOf, type ServerFlags, withServer } from '../server-options.ts'
import { momentOf } from '../times.ts'

type View = z.output<typeof explanationSchema>

interface Flags extends ServerFlags {
  readonly content?: string[]
  readonly logType?: string
  readonly asOf?: string
  readonly record: number
}

const HELP = `
EVENT is a file, - for standard input, or the p_row_id of a stored event, which the running server explains with its content.
A record goes through its schema and the tables first, as in \`caracal run\`; a JSON object with p_log_type is used as it is.
Says whether the rule sees the event (is it on, log type, filters), which conditions it tested on what values, and which one decided.
Exit code: 0 explained, whatever the result; 1 the rule's code fails; 2 usage, configuration, no such rule or event.

Examples:
  caracal explain Zeek.SSH.Bruteforce ssh.log
  caracal explain Tor.SSH.Login events.json --record 3 --json
  caracal explain Tor.SSH.Login 61e3cd3200000000`

export function registerExplain(program: Command, io: Io): void {
  withServer(program.command('explain').summary('why a rule matches an event, or why it does not'))
    .description('Explains why a rule matches an event, or why it does not.')
    .argument('<rule>', 'id of the rule')
    .argument('<event>', 'a log file, - for standard input, or the id of a stored event')
    .addOption(contentOption())
    .option('--log-type <type>', 'log type of the record (default: detected)')
    .option('--record <n>', 'which record of the input, counted from 1', wholeNumber, 1)
    .option('--as-of <time>', 'the time to use as the current time, with the tables in force then, as in 2024-04-19T10:00:00Z')
    .addHelpText('after', HELP)
    .action(async (ruleId: string, event: string, flags: Flags) => {
      const json = isRowId(event) ? await ofStored(ruleId, event, flags, io) : await ofInput(ruleId, event, flags, io)
      const view = JSON.parse(json) as View
      await io.write(flags.json ? `${json}\n` : explanationText(view, io))
      process.exitCode = view.verdict === 'error' ? 1 : 0
    })
}

function isRowId(event: string): boolean {
  return event !== '-' && /^[0-9a-f]{16,64}$/.test(event) && !existsSync(event)
}

async function ofStored(ruleId: string, rowId: string, { logType, asOf, content, ...flags }: Flags, io: Io): Promise<string> {
  if (content?.length || logType !== undefined)
    throw new UsageError('a stored event is explained by the server with its content: leave out --content and --log-type')
  const asked = { rule: ruleId, row_id: rowId, ...(asOf !== undefined && { as_of: asOf }) }
  return (await clientOf(flags, io).call('/api/v1/explain', { method: 'POST', body: asked })).text()
}

async function ofInput(ruleId: string, event: string, flags: Flags, io: Io): Promise<string> {
  if (event !== '-' && !existsSync(event))
    throw new UsageError(`'${event}' is not an existing file, - (standard input), or the p_row_id of a stored event`)
  const { explain } = await import('../../engine/explain/explain.ts')
  const { explanationJson } = await import('../../api/explanation-view.ts')
  const where = event === '-' ? { stdin: io.stdin } : { file: event }
  const input = { ...where, logType: flags.logType, record: flags.record }
  const nowMs = flags.asOf === undefined ? Date.now() : Date.parse(momentOf('--as-of', flags.asOf))
  const tell = (text: string) => io.err(`${text}\n`)
  const deps = { config: readConfig(flags, io), cacheFolder: cacheFolder(io.env), tell }
  return explanationJson(await explain({ ruleId, input, nowMs, isPast: flags.asOf !== undefined }, deps))
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('A whole number from 1.')
  return Number(text)
}
