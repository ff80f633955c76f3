import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { cacheFolder } from '../../config/env.ts'
import type { Rule, RuleTest } from '../../model/rule.ts'
import type { Creates } from '../../packs/detectors.ts'
import type { TestResult } from '../../packs/test-runner.ts'
import { printable } from '../../util/terminal.ts'
import { configOption, contentOption, readConfig } from '../config.ts'
import { UsageError } from '../exit.ts'
import type { Io } from '../io.ts'

interface Flags {
  readonly path?: string
  readonly content?: string[]
  readonly config?: string
}

const HELP = `
Shows the event, what the rule printed, and what each of its functions returned or where it failed.
Exit code: 0 the test passed; 1 it failed; 2 usage, configuration, or no such rule or test.

Example:
  caracal debug Tor.SSH.Login 'a login succeeds from an exit node'`

export function registerDebug(program: Command, io: Io): void {
  program
    .command('debug')
    .summary('run one unit test of a rule and show everything')
    .description('Runs one unit test of a rule and shows everything about it.')
    .argument('<rule>', 'id of the rule')
    .argument('<test>', 'name of the test')
    .option('--path <dir>', 'folder with the rule (default: all content)')
    .addOption(contentOption())
    .addOption(configOption())
    .addHelpText('after', HELP)
    .action(async (ruleId: string, testName: string, flags: Flags) => {
      process.exitCode = await debug(ruleId, testName, flags, io)
    })
}

async function debug(ruleId: string, testName: string, flags: Flags, io: Io): Promise<0 | 1> {
  const { withLanguages } = await import('../../packs/detectors.ts')
  return withLanguages((languages) => debugWith(languages, ruleId, testName, flags, io))
}

async function debugWith(languages: readonly Creates[], ruleId: string, testName: string, flags: Flags, io: Io): Promise<0 | 1> {
  const { isPantherFolder, selectTests } = await import('../../packs/test-scope.ts')
  const { folders, path } = whereToLook(flags, isPantherFolder(process.cwd()), io)
  const cache = join(cacheFolder(io.env), 'content')
  const { content, rules } = await selectTests({ path, folders, filters: [], ignore: [], cache })
  const rule = rules.find(({ id }) => id === ruleId)
  if (!rule)
    throw new UsageError(
      `there is no rule '${ruleId}'${await suggestion(
        ruleId,
        rules.map(({ id }) => id),
      )}`,
    )
  const test = rule.tests.find(({ name }) => name === testName)
  if (!test) {
    const names = rule.tests.map(({ name }) => `\n  ${name}`).join('')
    throw new UsageError(`rule '${ruleId}' has no test '${testName}'. Its tests:${names || ' none'}`)
  }
  const { createDetectors, endDetectors } = await import('../../packs/detectors.ts')
  const { runTests } = await import('../../packs/test-runner.ts')
  const only: Rule = { ...rule, tests: [test] }
  const detectors = await createDetectors({ ...content, rules: [only] }, languages, join(cacheFolder(io.env), 'python'))
  try {
    for await (const { tests, errors } of runTests([only], detectors)) {
      await show(rule, test, tests[0]!, errors, io)
      return tests[0]!.passed && errors.length === 0 ? 0 : 1
    }
    return 1
  } finally {
    await endDetectors(detectors)
  }
}

function whereToLook(flags: Flags, isPanther: boolean, io: Io): { folders: readonly string[]; path: string | undefined } {
  const folders = readConfig(flags, io).content
  const isHere = folders.length === 0 && !existsSync('content') && isPanther
  const path = flags.path ?? (isHere ? '.' : undefined)
  if (path !== undefined && !existsSync(path)) throw new UsageError(`--path '${path}' does not exist`)
  return { folders, path: path === undefined ? undefined : resolve(path) }
}

async function suggestion(id: string, known: readonly string[]): Promise<string> {
  const { nearest } = await import('../../packs/issues.ts')
  const near = nearest(id, known)
  return near === undefined ? ': caracal test lists all' : `: did you mean '${near}'?`
}

async function show(
  rule: Rule,
  { log }: RuleTest,
  { passed, expected, run }: TestResult,
  errors: readonly string[],
  io: Io,
): Promise<void> {
  const main = rule.kind === 'policy' ? 'policy' : 'rule'
  const lines = [
    `${rule.id}  ${rule.source.file}`,
    '',
    main === 'policy' ? 'resource' : 'event',
    ...indented(readable(log)),
    ...(run.printed ? ['', 'printed', ...indented(run.printed.trimEnd())] : []),
    '',
    'returned',
    ...Object.entries(run.out).flatMap(([name, text]) => {
      const [first, ...more] = readable(text).split('\n')
      return [`  ${name === 'detection' ? main : name}: ${first}`, ...more.map((line) => `  ${line}`)]
    }),
    ...Object.entries(run.errors).flatMap(([name, error]) => [
      `  ${name === 'detection' ? main : name} failed: ${error}`,
      ...(run.where?.[name] === undefined ? [] : [`    at ${run.where[name]}`]),
    ]),
    ...errors.map((error) => `  ERROR ${error}`),
    '',
    `${passed ? 'PASS' : 'FAIL'}  expected ${expected}, ${run.ms.toFixed(1)} ms`,
  ]
  const shown = lines.flatMap((line) => line.split('\n')).map(printable)
  await io.write(`${shown.join('\n')}\n`)
}

/** JSON over several lines; as it is when numbers would lose digits. */
function readable(text: string): string {
  const value: unknown = JSON.parse(text)
  const compact = JSON.stringify(value)
  return compact.length > 100 && !/\d{16}/.test(text) ? JSON.stringify(value, null, 2) : text
}

function indented(text: string): string[] {
  return text.split('\n').map((line) => `  ${line}`)
}
