import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { cacheFolder } from '../../config/env.ts'
import type { Rule, RuleTest } from '../../model/rule.ts'
import type { Creates } from '../../packs/detectors.ts'
import type { TestResult } from '../../packs/test-runner.ts'
import type { TestScope } from '../../packs/test-scope.ts'
import type { CorrelationRule, CorrelationTest } from '../../stages/detect/correlation/rule.ts'
import { printable } from '../../util/terminal.ts'
import { type ContentFlags, selectContent, withContent } from '../content.ts'
import { Exit, UsageError } from '../exit.ts'
import type { Io } from '../io.ts'

const HELP = `
Shows the event, the rule's output, and what each of its functions returned or where it failed.
Exit code: 0 the test passed; 1 it failed, or the rule or a filter cannot be used; 2 usage, configuration, or no such rule or test.

Example:
  caracal debug Tor.SSH.Login 'a login succeeds from an exit node'`

export function registerDebug(program: Command, io: Io): void {
  withContent(program.command('debug'), 'rules')
    .summary('run one unit test of a rule and show all details')
    .description('Runs one unit test of a rule and shows all details.')
    .argument('<rule>', 'id of the rule')
    .argument('<test>', 'name of the test')
    .addHelpText('after', HELP)
    .action(async (ruleId: string, testName: string, flags: ContentFlags) => {
      process.exitCode = await debug(ruleId, testName, flags, io)
    })
}

async function debug(ruleId: string, testName: string, flags: ContentFlags, io: Io): Promise<0 | 1> {
  const { withLanguages } = await import('../../packs/detectors.ts')
  return withLanguages((languages) => debugWith(languages, ruleId, testName, flags, io))
}

async function debugWith(
  languages: readonly Creates[],
  ruleId: string,
  testName: string,
  flags: ContentFlags,
  io: Io,
): Promise<0 | 1> {
  const { scope } = await selectContent(flags, io)
  const rule = scope.rules.find(({ id }) => id === ruleId)
  if (rule) return debugRule(rule, testOf(rule, testName), scope, languages, io)
  const correlation = scope.correlationRules.find(({ id }) => id === ruleId)
  if (correlation) return debugCorrelation(correlation, testOf(correlation, testName), io)
  await tellProblems(ruleId, scope, io)
  const ids = [...scope.rules, ...scope.correlationRules].map(({ id }) => id)
  throw new UsageError(`there is no rule '${ruleId}'${await suggestion(ruleId, ids)}`)
}

function testOf<T extends { readonly name: string }>(
  { id, tests }: { readonly id: string; readonly tests: readonly T[] },
  testName: string,
): T {
  const test = tests.find(({ name }) => name === testName)
  if (test) return test
  const names = tests.map(({ name }) => `\n  ${name}`).join('')
  throw new UsageError(`rule '${id}' has no test '${testName}'. Its tests:${names || ' none'}`)
}

async function debugRule(rule: Rule, test: RuleTest, scope: TestScope, languages: readonly Creates[], io: Io): Promise<0 | 1> {
  const { createDetectors, endDetectors } = await import('../../packs/detectors.ts')
  const { runTests } = await import('../../packs/test-runner.ts')
  const { TestTables } = await import('../../packs/test-tables.ts')
  const only: Rule = { ...rule, tests: [test] }
  const content = { ...scope.content, rules: [only] }
  const detectors = await createDetectors(content, languages, join(cacheFolder(io.env), 'python'))
  try {
    for await (const { tests, errors } of runTests([only], detectors, { tables: new TestTables(scope.content) })) {
      const main = rule.kind === 'policy' ? 'policy' : 'rule'
      const given = main === 'policy' ? 'resource' : 'event'
      const [result] = tests
      await show({ file: rule.source.file, main, given, input: result!.joined ?? test.log, result: result!, errors }, io)
      return result!.passed && errors.length === 0 ? 0 : 1
    }
    return 1
  } finally {
    await endDetectors(detectors)
  }
}

async function debugCorrelation(rule: CorrelationRule, test: CorrelationTest, io: Io): Promise<0 | 1> {
  const { runCorrelationTests } = await import('../../packs/test-runner.ts')
  const [result] = runCorrelationTests([{ ...rule, tests: [test] }])
  const { tests, errors } = result!
  const input = JSON.stringify(test.outputs)
  await show({ file: rule.file, main: 'rule', given: 'what its rules gave', input, result: tests[0]!, errors }, io)
  return tests[0]!.passed ? 0 : 1
}

/** A rule that cannot be used is not among the loaded rules, so the problem with its file is reported. */
async function tellProblems(ruleId: string, scope: TestScope, io: Io): Promise<void> {
  const { namesId } = await import('../../packs/names-id.ts')
  const { problemLine } = await import('../../packs/test-report.ts')
  const problems = scope.problems.filter(({ file }) => namesId(textOf(file), ruleId))
  if (problems.length === 0) return
  for (const problem of problems) io.err(`${printable(problemLine(problem))}\n`)
  io.err(`caracal: rule '${printable(ruleId)}' cannot be used\n`)
  throw new Exit(1)
}

/** Empty if it cannot be read (any more). */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

async function suggestion(id: string, known: readonly string[]): Promise<string> {
  const { nearest } = await import('../../packs/issues.ts')
  const near = nearest(id, known)
  return near === undefined ? ': caracal test lists all' : `: did you mean '${near}'?`
}

interface Shown {
  /** Where the rule is written. */
  readonly file: string
  /** The name of its main function, and that function's input. */
  readonly main: string
  readonly given: string
  /** JSON text. */
  readonly input: string
  readonly result: TestResult
  readonly errors: readonly string[]
}

async function show({ file, main, given, input, result, errors }: Shown, io: Io): Promise<void> {
  const { rule, passed, expected, run } = result
  const lines = [
    `${rule.id}  ${file}`,
    '',
    given,
    ...indented(readable(input)),
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

/** Indented JSON, or the original text if numbers would lose digits. */
function readable(text: string): string {
  const value: unknown = JSON.parse(text)
  const compact = JSON.stringify(value)
  return compact.length > 100 && !/\d{16}/.test(text) ? JSON.stringify(value, null, 2) : text
}

function indented(text: string): string[] {
  return text.split('\n').map((line) => `  ${line}`)
}
