import { writeFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import type { TestScope } from '../../packs/test-scope.ts'
import { messageOf } from '../../util/errors.ts'
import { printable } from '../../util/terminal.ts'
import { collect, readConfig } from '../config.ts'
import { type ContentFlags, selectContent, withContent } from '../content.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { counted } from '../style.ts'
import { readTables } from '../tables-option.ts'

interface Flags extends ContentFlags {
  readonly table?: readonly string[]
  readonly check?: boolean
}

const HELP = `
Only adds and replaces p_enrichment in each Log; comments and layout stay. Rows are those of the tables on this machine; nothing is
fetched. Tests with Tables are left: they are enriched when they run.
Exit code: 0 done; 1 a test could not be enriched or, with --check, a file would change; 2 usage or configuration.

Examples:
  caracal enrich-test-data
  caracal enrich-test-data rules/vpn --table tor_exit_nodes=exits.txt
  caracal enrich-test-data --check`

export function registerEnrichTestData(program: Command, io: Io): void {
  withContent(program.command('enrich-test-data'), 'rules')
    .summary('fill p_enrichment into the unit tests of rules')
    .description('Joins the events of unit tests with the tables on this machine and writes the rows into the YAML files.')
    .argument('[paths...]', 'only rules below these folders (default: as --path)')
    .addOption(new Option('--table <name=file>', "replace a table's content; can be repeated").argParser(collect))
    .option('--check', 'change nothing, exit with 1 if something would change')
    .addHelpText('after', HELP)
    .action(async (paths: readonly string[], flags: Flags) => {
      if (paths.length > 0 && flags.path !== undefined)
        throw new UsageError('name the folders as arguments or with --path, not both')
      const given = paths.length > 0 ? paths : [flags.path]
      let isFine = true
      for (const path of given) isFine = (await enrichAll({ ...flags, path }, io)) && isFine
      process.exitCode = isFine ? 0 : 1
    })
}

async function enrichAll(flags: Flags, io: Io): Promise<boolean> {
  const { openTestEnricher, enrichFile } = await import('../../packs/enrich-tests.ts')
  const { scope } = await selectContent(flags, io)
  let isFine = tellProblems(scope, io)
  const tell = (sentence: string) => {
    isFine = false
    io.err(`${printable(sentence)}\n`)
  }
  const { data_dir: dataFolder } = readConfig(flags, io)
  const enricher = await openTestEnricher(scope.content, dataFolder, readTables(flags.table ?? []), tell)
  let tests = 0
  let files = 0
  for (const rule of scope.rules.filter(({ kind = 'rule' }) => kind === 'rule')) {
    const { text, changed, problems } = await enrichFile(rule, enricher)
    for (const problem of problems) tell(`${rule.file}: ${problem}`)
    if (text === undefined) continue
    files++
    tests += changed.length
    io.out(`${printable(rule.file)}: ${changed.map((name) => `'${printable(name)}'`).join(', ')}\n`)
    if (flags.check) isFine = false
    else await write(rule.file, text)
  }
  io.out(`${flags.check ? 'would enrich' : 'enriched'} ${counted(tests, 'test')} in ${counted(files, 'file')}\n`)
  return isFine
}

function tellProblems({ problems }: TestScope, io: Io): boolean {
  for (const { file, message } of problems) io.err(`${printable(`${file}: ${message}`)}\n`)
  return problems.length === 0
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text)
  } catch (error) {
    throw new UsageError(`'${file}' cannot be written: ${messageOf(error)}`)
  }
}
