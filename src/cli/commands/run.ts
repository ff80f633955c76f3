import { type Command, Option } from 'commander'
import { cacheFolder } from '../../config/env.ts'
import type { RunOptions } from '../../engine/run.ts'
import type { Emit } from '../../engine/run-output.ts'
import { collect, configOption, contentOption, readConfig } from '../config.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { runBundle } from '../run-bundle.ts'
import { readTables } from '../tables-option.ts'

const EMITS = ['events', 'matches', 'alerts', 'dead-letters'] as const satisfies readonly Emit[]

interface Flags {
  readonly logType?: string
  readonly content?: string[]
  readonly table?: string[]
  readonly emit: Emit
  readonly asOf?: string
  readonly config?: string
  readonly bundle?: string
}

const HELP = `
Prints JSON lines, messages go to stderr. No server, no lake and no state; the same code as \`caracal up\`.
Exit code: 0 every record was stored; 1 some became dead letters or some rule failed; 2 usage, configuration or content.
With --bundle: 0 reproduced; 1 something differs or was changed; 2 the file cannot be used.

Examples:
  caracal run conn.log --emit matches
  zcat conn.log.gz | caracal run - --log-type Zeek.Conn
  caracal run --bundle caracal-alert-61e3cd32.tar
  caracal run auth.log --content ./rules --table tor_exit_nodes=exits.txt --emit alerts`

export function registerRun(program: Command, io: Io): void {
  program
    .command('run')
    .summary('run rules on files, without a server')
    .description('Runs files, or standard input, through schemas, tables and rules, and prints what comes out.')
    .argument('[files...]', 'log files, plain or compressed; - is standard input (default: -)')
    .option('--log-type <type>', 'log type of all records (default: detected per record)')
    .addOption(contentOption())
    .addOption(new Option('--table <name=file>', "replace a table's content; can be repeated").argParser(collect))
    .addOption(new Option('--emit <what>', 'what to print').choices(EMITS).default('events' satisfies Emit))
    .option('--as-of <time>', 'the time to use as the current time, with the tables in force then, as in 2024-04-19T10:00:00Z')
    .option('--bundle <file>', 'decide an alert again from its bundle, and say whether the outcome is the same')
    .addOption(configOption())
    .addHelpText('after', HELP)
    .action(async (files: string[], flags: Flags, command: Command) => {
      if (flags.bundle !== undefined) {
        const others = Object.keys(flags).filter((name) => command.getOptionValueSource(name) === 'cli' && name !== 'bundle')
        if (files.length + others.length > 0)
          throw new UsageError('--bundle has everything that it needs: leave out files and the other options')
        process.exitCode = await runBundle(flags.bundle, io)
        return
      }
      const options = readOptions(files, flags, io)
      const { runFiles } = await import('../../engine/run.ts')
      process.exitCode = await runFiles(options, { stdin: io.stdin, write: io.write, tell: (text) => io.err(`${text}\n`) })
    })
}

function readOptions(files: readonly string[], flags: Flags, io: Io): RunOptions {
  return {
    config: readConfig(flags, io),
    cacheFolder: cacheFolder(io.env),
    files: files.length > 0 ? files : ['-'],
    logType: flags.logType,
    tables: readTables(flags.table ?? []),
    emit: flags.emit,
    nowMs: flags.asOf === undefined ? Date.now() : readTime(flags.asOf),
    isPast: flags.asOf !== undefined,
  }
}

const RFC_3339 = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d))?$/

function readTime(text: string): number {
  const ms = RFC_3339.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) throw new UsageError(`--as-of '${text}' is not a time, as in 2024-04-19T10:00:00Z or 2024-04-19`)
  return ms
}
