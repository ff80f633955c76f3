import type { Command } from 'commander'
import { type Migrated, type MigrationProgress, migrate } from '../../engine/migrate/migrate.ts'
import { Refused } from '../../util/errors.ts'
import { printable } from '../../util/terminal.ts'
import { type ConfigOptions, configOption, dataDirOption, readConfig } from '../config.ts'
import { Exit } from '../exit.ts'
import type { Io } from '../io.ts'
import { count, counted, span } from '../style.ts'

type Flags = ConfigOptions & { readonly json?: boolean }

interface Counted {
  readonly table: string
  readonly rowsBefore: number
  readonly rowsAfter: number
}

const HELP = `
Stop Caracal first, and write into caracal.yml where state and lake are to be: state: {type: postgres, …},
lake: {type: clickhouse, …}, or both. What the data folder has of them is moved there, and \`caracal up\` goes on with it.
The servers have to be empty. state.db and the folder lake are kept, under names that begin with state.db.migrated and
lake.migrated; delete them when you do not need them any more.

If it is stopped, or a server is away, run it again: it goes on. Nothing is moved from servers back into a data folder.

Example:
  caracal migrate --config caracal.yml`

export function registerMigrate(program: Command, io: Io): void {
  program
    .command('migrate')
    .summary('move state and lake from the data folder to servers')
    .description('Moves state and lake from the data folder to the servers that the configuration names.')
    .option('--json', 'for programs: JSON')
    .addOption(configOption())
    .addOption(dataDirOption())
    .addHelpText('after', HELP)
    .action((flags: Flags) => run(flags, io))
}

async function run(flags: Flags, io: Io): Promise<void> {
  const config = readConfig(flags, io)
  const began = performance.now()
  const ending = new AbortController()
  const forget = io.onInterrupt(() => ending.abort())
  const shown = (text: string) => io.isTty && io.err(`\r${printable(text).padEnd(78)}`)
  let migrated: Migrated
  try {
    migrated = await migrate(config, {
      signal: ending.signal,
      onProgress: (progress) => shown(textOf(progress)),
      onNotice: (text) => io.err(`${printable(text)}\n`),
    })
  } catch (error) {
    if (ending.signal.aborted)
      throw new Refused('the migration was stopped. Run the same command again, and it goes on.', { cause: error })
    throw error
  } finally {
    forget()
    if (io.isTty) io.err(`\r${' '.repeat(78)}\r`)
  }
  if (flags.json) io.out(`${JSON.stringify(jsonOf(migrated))}\n`)
  else show(migrated, { io, dataDir: config.data_dir, ms: performance.now() - began })
  if (tablesOf(migrated).some(({ rowsBefore, rowsAfter }) => rowsBefore !== rowsAfter)) throw new Exit(1)
}

function textOf({ part, table, done, of }: MigrationProgress): string {
  return `${part}: ${table}, ${count(done)} of ${counted(of, 'row')}`
}

function tablesOf({ state, lake }: Migrated): Counted[] {
  return [...(state?.tables ?? []), ...(lake?.tables ?? [])]
}

function show({ state, lake }: Migrated, { io, dataDir, ms }: { io: Io; dataDir: string; ms: number }): void {
  if (!state && !lake) {
    io.out(`Nothing is left to migrate in ${printable(dataDir)}.\n`)
    return
  }
  for (const [part, tables] of [
    ['lake', lake?.tables],
    ['state', state?.tables],
  ] as const)
    for (const { table, rowsBefore, rowsAfter } of tables ?? [])
      io.out(`${part} ${printable(table)}: ${counted(rowsBefore, 'row')} before, ${count(rowsAfter)} after\n`)
  if (lake && lake.kept === undefined) {
    io.err(
      'caracal: tables differ, so the lake of the data folder stays in use, and the state was not moved. Run the same command again; if they still differ, drop the tables on the server that have more rows, and run it once more.\n',
    )
    return
  }
  if (state && !state.tables) io.out('The state had been moved by an earlier run, which was stopped just before its end.\n')
  const kept = [state?.kept, lake?.kept].filter((name) => name !== undefined)
  io.out(
    `Moved in ${span(ms)}. Start Caracal with \`caracal up\`. Kept in ${printable(dataDir)}: ${kept.map(printable).join(', ')}; delete them when you do not need them any more.\n`,
  )
}

function jsonOf({ state, lake }: Migrated): object {
  const rows = (tables: readonly Counted[]) =>
    tables.map(({ table, rowsBefore, rowsAfter }) => ({ table, rows_before: rowsBefore, rows_after: rowsAfter }))
  return {
    state: state ? { tables: state.tables ? rows(state.tables) : null, kept: state.kept } : null,
    lake: lake ? { tables: rows(lake.tables), kept: lake.kept ?? null } : null,
  }
}
