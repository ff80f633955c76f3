import { Command, Option } from 'commander'
import { version } from '../util/version.ts'
import { exitCodeOf } from './exit.ts'
import { guardOutput, type Io, processIo } from './io.ts'

type Register = (program: Command, io: Io) => void

/** Every command, in the order of the help. A module is only loaded for its command or for the help. */
const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  up: async () => (await import('./commands/up.ts')).registerUp,
  run: async () => (await import('./commands/run.ts')).registerRun,
  alerts: async () => (await import('./commands/alerts.ts')).registerAlerts,
  mutes: async () => (await import('./commands/mutes.ts')).registerMutes,
  query: async () => (await import('./commands/query.ts')).registerQuery,
  queries: async () => (await import('./commands/queries.ts')).registerQueries,
  search: async () => (await import('./commands/search.ts')).registerSearch,
  searches: async () => (await import('./commands/searches.ts')).registerSearches,
  timeline: async () => (await import('./commands/timeline.ts')).registerTimeline,
  risk: async () => (await import('./commands/risk.ts')).registerRisk,
  sources: async () => (await import('./commands/sources.ts')).registerSources,
  'dead-letters': async () => (await import('./commands/dead-letters.ts')).registerDeadLetters,
  tables: async () => (await import('./commands/tables.ts')).registerTables,
  rules: async () => (await import('./commands/rules.ts')).registerRules,
  packs: async () => (await import('./commands/packs.ts')).registerPacks,
  replay: async () => (await import('./commands/replay.ts')).registerReplay,
  backtest: async () => (await import('./commands/backtest.ts')).registerBacktest,
  deliveries: async () => (await import('./commands/deliveries.ts')).registerDeliveries,
  destinations: async () => (await import('./commands/destinations.ts')).registerDestinations,
  tokens: async () => (await import('./commands/tokens.ts')).registerTokens,
  users: async () => (await import('./commands/users.ts')).registerUsers,
  content: async () => (await import('./commands/content.ts')).registerContent,
  reload: async () => (await import('./commands/reload.ts')).registerReload,
  delete: async () => (await import('./commands/delete.ts')).registerDelete,
  backup: async () => (await import('./commands/backup.ts')).registerBackup,
  restore: async () => (await import('./commands/restore.ts')).registerRestore,
  migrate: async () => (await import('./commands/migrate.ts')).registerMigrate,
  archive: async () => (await import('./commands/archive.ts')).registerArchive,
  retention: async () => (await import('./commands/retention.ts')).registerRetention,
  lake: async () => (await import('./commands/lake.ts')).registerLake,
  health: async () => (await import('./commands/health.ts')).registerHealth,
  demo: async () => (await import('./commands/demo.ts')).registerDemo,
  test: async () => (await import('./commands/test.ts')).registerTest,
  debug: async () => (await import('./commands/debug.ts')).registerDebug,
  explain: async () => (await import('./commands/explain.ts')).registerExplain,
  'enrich-test-data': async () => (await import('./commands/enrich-test-data.ts')).registerEnrichTestData,
  benchmark: async () => (await import('./commands/benchmark.ts')).registerBenchmark,
  schema: async () => (await import('./commands/schema.ts')).registerSchema,
  types: async () => (await import('./commands/types.ts')).registerTypes,
  validate: async () => (await import('./commands/validate.ts')).registerValidate,
  config: async () => (await import('./commands/config.ts')).registerConfig,
  doctor: async () => (await import('./commands/doctor.ts')).registerDoctor,
  service: async () => (await import('./commands/service.ts')).registerService,
  mcp: async () => (await import('./commands/mcp.ts')).registerMcp,
  init: async () => (await import('./commands/init.ts')).registerInit,
}

/** Options of Panther's tool that scripts may pass with any command but that have no effect here. */
const WITHOUT_EFFECT = ['--debug', '--skip-version-check'].map((flags) => new Option(flags).hideHelp())

const EXAMPLES = `
Examples:
  caracal up                          start; the first start runs a demo
  caracal run conn.log --emit matches
                                      try rules on a file, without a server

For help on a command: caracal <command> --help`

/** The command-line interface: runs one command and sets the process's exit code. */
export async function main(argv: string[]): Promise<void> {
  guardOutput(commandOf(argv) === 'up')
  process.exitCode = await runCli(argv, processIo())
}

function commandOf(argv: readonly string[]): string | undefined {
  return argv.find((word) => !word.startsWith('-'))
}

/** Runs one command and returns its exit code. A command may also set the process's exit code. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  try {
    const program = await createProgram(commandOf(argv), io)
    await refuseUnknown(program, argv)
    await program.parseAsync([...argv], { from: 'user' })
    const code = Number(process.exitCode ?? 0)
    process.exitCode = undefined
    return code
  } catch (error) {
    return exitCodeOf(error, io)
  }
}

async function createProgram(called: string | undefined, io: Io): Promise<Command> {
  const program = new Command('caracal')
    .description('Caracal: point your logs at it, write rules in Python, get alerts in milliseconds.')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', EXAMPLES)
    .configureOutput({ writeOut: io.out, writeErr: io.err, getOutHelpWidth: () => io.columns, getErrHelpWidth: () => io.columns })
    .exitOverride()
    .hook('preAction', (_, command) => {
      const idle = WITHOUT_EFFECT.filter((option) => Object.hasOwn(command.optsWithGlobals(), option.attributeName()))
      if (idle.length > 0) io.err(`Without effect here: ${idle.map(({ long }) => long).join(', ')}.\n`)
    })
  for (const option of WITHOUT_EFFECT) program.addOption(option)
  const isCommand = called !== undefined && Object.hasOwn(COMMANDS, called)
  // A command may have a `--version` that is about something else.
  if (!isCommand) program.version(version(), '--version', 'show the version')
  const names = isCommand ? [called] : Object.keys(COMMANDS)
  for (const name of names) (await COMMANDS[name]!())(program, io)
  pointToHelp(program, 'caracal')
  return program
}

/** Each error refers to the help of its own command. */
function pointToHelp(command: Command, name: string): void {
  command.showHelpAfterError(`(see ${name} --help)`)
  for (const inner of command.commands) pointToHelp(inner, `${name} ${inner.name()}`)
}

/** Refuses a typo after `caracal tables`, which its default command would take for an argument. */
async function refuseUnknown(program: Command, [called, word]: readonly string[]): Promise<void> {
  const group = program.commands.find((command) => command.name() === called)
  if (!group || group.commands.length === 0 || group.registeredArguments.length > 0 || word === undefined || word.startsWith('-'))
    return
  const known = [...group.commands.map((command) => command.name()), 'help']
  if (known.includes(word) || group.commands.some((command) => command.aliases().includes(word))) return
  const { suggestion } = await import('../packs/issues.ts')
  group.error(`error: unknown command '${word}'${suggestion(word, known) || `. Known: ${known.join(', ')}`}`)
}
