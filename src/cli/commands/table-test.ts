import type { Command } from 'commander'
import { cacheFolder } from '../../config/env.ts'
import type { TestedFile } from '../../engine/test-table.ts'
import { printable } from '../../util/terminal.ts'
import { type ConfigOptions, configOption, contentOption, readConfig } from '../config.ts'
import { Exit, UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { count, counted } from '../style.ts'

interface Flags extends ConfigOptions {
  readonly table?: string
  readonly key?: string
  readonly format?: string
  readonly json?: boolean
}

/** `tables test`: works without a server. */
export function registerTableTest(tables: Command, io: Io): void {
  tables
    .command('test <file>')
    .description(
      'Read a file as a table would, without a server: its rows, those that cannot be used, and the checks that it fails.',
    )
    .option('--table <name>', 'the table whose definition to use')
    .option('--key <column>', 'without a table: the column that is the key')
    .option('--format <format>', 'without a table: the format, if the file does not show it')
    .option('--json', 'print JSON')
    .addOption(contentOption())
    .addOption(configOption())
    .action(async (file: string, { table, key, format, json, ...flags }: Flags) => {
      if ((table === undefined) === (key === undefined))
        throw new UsageError('name the table with --table, or the column that is the key with --key')
      const { testTable } = await import('../../engine/test-table.ts')
      const tested = table === undefined ? { key: key!, format } : { table }
      const found = await testTable(file, tested, { config: readConfig(flags, io), cacheFolder: cacheFolder(io.env) })
      io.out(json ? `${JSON.stringify(found)}\n` : `${lines(found).join('\n')}\n`)
      if (found.failed.length > 0) throw new Exit(1)
    })
}

function lines({ version, match, rows, skipped, examples, failed }: TestedFile): string[] {
  return [
    `${counted(rows, 'key')}, compared as ${match}; version ${version}`,
    ...(skipped > 0 ? [`${count(skipped)} rows cannot be used:`, ...examples.map((one) => printable(`  ${one}`))] : []),
    ...failed.map((one) => printable(`fails: ${one}`)),
  ]
}
