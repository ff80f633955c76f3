import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { cacheFolder } from '../../config/env.ts'
import type { Content } from '../../packs/content.ts'
import type { Creates } from '../../packs/detectors.ts'
import type { TestSettings } from '../../packs/settings.ts'
import type { RuleResult, TestOptions } from '../../packs/test-runner.ts'
import type { TestScope } from '../../packs/test-scope.ts'
import { messageOf } from '../../util/errors.ts'
import { printable } from '../../util/terminal.ts'
import { collect } from '../config.ts'
import { type ContentFlags, selectContent, withContent } from '../content.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'

interface Flags extends TestSettings, ContentFlags {
  readonly json?: boolean
  readonly junit?: string
}

/** Options of Panther's tool that scripts may pass but that have no effect here. */
const WITHOUT_EFFECT = [
  '--ignore-table-names',
  '--valid-table-names <name>',
  '--workers <n>',
  '--api-token <token>',
  '--api-host <url>',
].map((flags) => new Option(flags).hideHelp())

const HELP = `
A filter names a key of the rule's YAML: Severity=High,Critical  LogTypes=Zeek.Conn  Tags!=beta  Enabled=true
Filters with different keys must all hold; an absent key counts as empty: Status!=deprecated  Runbook=
Any key of content will do; what a key names that no rule has (GlobalID, DataModelID) leaves nothing to test.
Options are also read from PANTHER_* variables and from .panther_settings.yml in the working folder, in this order.
Of Panther's tool ${WITHOUT_EFFECT.map(({ long }) => long).join(', ')}
are accepted and without effect: no service is asked, and table names are not checked.
Exit code: 0 everything passed; 1 a test failed, or a file, rule or filter cannot be used; 2 usage or configuration.

Examples:
  caracal test
  caracal test --path rules/zeek --show-failures-only
  caracal test --filter RuleID=Tor.SSH.Login --json
  caracal test --path . --minimum-tests 2 --junit report.xml`

export function registerTest(program: Command, io: Io): void {
  const command = withContent(program.command('test'), 'rules')
    .summary('run the unit tests of rules')
    .description('Runs the unit tests of rules, policies and correlation rules, including disabled ones, and shows what failed.')
    .option('--test-names <name>', 'only tests with this name; can be repeated', collect)
    .option('--skip-disabled-tests', 'skip disabled rules')
    .option('--minimum-tests <n>', 'every rule needs this many tests; from 2, for both results', wholeNumber)
    .option('--available-destination <name>', 'a known destination; rules that name others fail; can be repeated', collect)
    .option('--show-failures-only', 'print only what failed')
    .option('--sort-test-results', 'sort output by id, passed rules first')
    .option('--json', 'one JSON object per line, then a summary')
    .option('--junit <file>', 'also write a JUnit report')
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => {
      const { withLanguages } = await import('../../packs/detectors.ts')
      process.exitCode = await withLanguages((languages) => testContent(languages, flags, io))
    })
  for (const option of WITHOUT_EFFECT) command.addOption(option)
}

function wholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It must be an integer.')
  return Number(text)
}

async function testContent(languages: readonly Creates[], flags: Flags, io: Io): Promise<0 | 1> {
  const { scope, settings } = await selectContent(flags, io)
  tellIdle(flags, settings, io)
  if (!scope.isUntested && scope.rules.length + scope.correlationRules.length + scope.problems.length === 0) {
    io.err(`There is nothing to test in ${scope.where}${settings.filter ? ' with this filter' : ''}.\n`)
    return 1
  }
  const { results, problems } = await runAll(scope, languages, settings, flags, io)
  if (flags.junit !== undefined) await writeReport(flags.junit, results, problems)
  return report(results, { ...scope, problems }, settings, flags, io)
}

function tellIdle(flags: Flags, { withoutEffect = [] }: TestSettings, io: Io): void {
  const given = WITHOUT_EFFECT.filter((option) => Object.hasOwn(flags, option.attributeName()))
  const idle = [...given.map(({ long }) => long), ...withoutEffect.map((key) => `${key} in .panther_settings.yml`)]
  if (idle.length > 0) io.err(`Without effect here: ${idle.join(', ')}.\n`)
}

function testOptions(settings: TestSettings): TestOptions {
  return {
    minimumTests: settings.minimumTests ?? 0,
    skipDisabled: settings.skipDisabledTests ?? false,
    testNames: settings.testNames && new Set(settings.testNames),
    destinations: settings.availableDestination && new Set(settings.availableDestination),
  }
}

async function runAll(
  scope: TestScope,
  languages: readonly Creates[],
  settings: TestSettings,
  flags: Flags,
  io: Io,
): Promise<{ results: readonly RuleResult[]; problems: Content['problems'] }> {
  const { runCorrelationTests, runTests } = await import('../../packs/test-runner.ts')
  const { createDetectors, endDetectors } = await import('../../packs/detectors.ts')
  const { brokenModels } = await import('../../packs/check.ts')
  const { TestTables } = await import('../../packs/test-tables.ts')
  const failuresOnly = settings.showFailuresOnly === true
  const options = { ...testOptions(settings), tables: new TestTables(scope.content) }
  const results: RuleResult[] = []
  const content = { ...scope.content, rules: scope.rules }
  const detectors = await createDetectors(content, languages, join(cacheFolder(io.env), 'python'))
  const show = async (result: RuleResult) => {
    results.push(result)
    if (settings.sortTestResults !== true) await print(result, failuresOnly, flags, io)
  }
  try {
    for await (const result of runTests(scope.rules, detectors, options)) await show(result)
    for (const result of runCorrelationTests(scope.correlationRules, options)) await show(result)
  } finally {
    await endDetectors(detectors)
  }
  const all = { results, problems: [...scope.problems, ...brokenModels(scope.selected, detectors)] }
  if (settings.sortTestResults !== true) return all
  const { sorted } = await import('../../packs/test-report.ts')
  for (const result of sorted(results)) await print(result, failuresOnly, flags, io)
  return all
}

async function print(result: RuleResult, failuresOnly: boolean, { json }: Flags, io: Io): Promise<void> {
  const { isGood, ruleJson, ruleText } = await import('../../packs/test-report.ts')
  if (json) {
    const lines = ruleJson(result).map((line) => `${line}\n`)
    if (lines.length > 0) await io.write(lines.join(''))
  } else if (!failuresOnly || !isGood(result)) await say(io, [...ruleText(result, failuresOnly), ''])
}

async function writeReport(file: string, results: readonly RuleResult[], problems: Content['problems']): Promise<void> {
  const { junitReport } = await import('../../packs/junit.ts')
  try {
    await writeFile(file, junitReport(results, problems))
  } catch (error) {
    throw new UsageError(`--junit '${file}' cannot be written: ${messageOf(error)}`)
  }
}

async function report(
  results: readonly RuleResult[],
  scope: TestScope,
  settings: TestSettings,
  { json, path }: Flags,
  io: Io,
): Promise<0 | 1> {
  const { addUp } = await import('../../packs/test-runner.ts')
  const { problemJson, problemLine, summaryJson, summaryText } = await import('../../packs/test-report.ts')
  const { problems } = scope
  const summary = addUp(results, problems.length)
  for (const problem of problems) {
    if (json) io.out(`${problemJson(problem)}\n`)
    else await say(io, [`ERROR ${problemLine(problem)}`])
  }
  const notices = scope.selected.notices.length + scope.schemaProblems.length
  const extra = settings.ignoreExtraKeys ? ' --ignore-extra-keys' : ''
  const validate = `caracal validate${path === undefined ? '' : ` --path ${path}`}${extra}`
  if (notices > 0) io.err(`${notices} notices about the content: \`${validate}\` lists them.\n`)
  const skipped = results.filter((result) => result.skipped !== undefined).length
  io.out(`${json ? summaryJson(summary) : summaryText(summary, skipped)}\n`)
  return summary.failed + summary.errors === 0 ? 0 : 1
}

/** Lines for people. Whatever rules print and return is untrusted text and must not move the cursor. */
async function say(io: Io, lines: readonly string[]): Promise<void> {
  const shown = lines.flatMap((line) => line.split('\n')).map(printable)
  await io.write(`${shown.join('\n')}\n`)
}
