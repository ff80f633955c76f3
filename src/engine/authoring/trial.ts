import { join } from 'node:path'
import type { Rule } from '../../model/rule.ts'
import { type Content, testedRules } from '../../packs/content.ts'
import { createDetectors, endDetectors } from '../../packs/detectors.ts'
import { loadContent } from '../../packs/load.ts'
import { failureText } from '../../packs/test-report.ts'
import { type RuleResult, runCorrelationTests, runTests, type TestResult } from '../../packs/test-runner.ts'
import { TestTables } from '../../packs/test-tables.ts'
import type { CorrelationRule } from '../../stages/detect/correlation/rule.ts'
import { fromRoots } from '../../util/host-paths.ts'
import type { ContentProblem } from '../path.ts'

/** Content to try out, with edits that are not written yet. */
export interface TrialAsk {
  /** Texts in place of files, by absolute path; null: the file is removed. */
  readonly edits: ReadonlyMap<string, string | null>
  /** Which rules to test: one by its id, or those that are in these files. */
  readonly of: { readonly ruleId: string } | { readonly files: readonly string[] }
  /** Events to run on in place of the unit tests, exact JSON text. */
  readonly events?: readonly string[]
  /** The content roots, absolute, in order. */
  readonly roots: readonly string[]
  /** A folder in them that is not content. */
  readonly dataDir: string
  readonly cacheFolder: string
}

/** One unit test, or one event that a rule was run on. */
export interface TrialTest {
  readonly name: string
  readonly passed: boolean
  readonly expected: boolean
  /** What the rule returned; `undefined`: it failed. */
  readonly result: boolean | undefined
  /** What its other functions returned, as JSON text. */
  readonly functions: Readonly<Record<string, string>>
  readonly errors: Readonly<Record<string, string>>
  readonly printed: string
  readonly ms: number
  /** For people: what was expected, what happened, and where. Empty if it passed. */
  readonly diff: readonly string[]
}

export interface TrialRule {
  readonly id: string
  readonly tests: readonly TrialTest[]
  /** Why it cannot be loaded. */
  readonly errors: readonly string[]
}

/** The outcome of trying content out. */
export interface Trial {
  readonly rules: readonly TrialRule[]
  /** Why the edited files cannot be used. */
  readonly problems: readonly ContentProblem[]
}

/** Longest text of what a function returned, or printed. */
const MAX_TEXT = 10_000

/** Reads the content with its edits and runs the unit tests of rules in a sandbox of their own, which is ended after it. */
export async function trial({ edits, of, events, roots, dataDir, cacheFolder }: TrialAsk): Promise<Trial> {
  const places = roots.map((folder) => ({ folder, without: [dataDir] }))
  const content = await loadContent(places, { cache: join(cacheFolder, 'content'), edits })
  const short = fromRoots(roots)
  const problems = content.problems.flatMap(({ file, line, message }) =>
    edits.has(file) ? [{ file: short(line === undefined ? file : `${file}:${line}`), message: short(message) }] : [],
  )
  const isWanted = (rule: { readonly id: string; readonly file: string; readonly source?: { readonly file: string } }) =>
    'ruleId' in of
      ? rule.id === of.ruleId
      : of.files.includes(rule.file) || (rule.source !== undefined && of.files.includes(rule.source.file))
  const rules = testedRules(content).filter(isWanted)
  const correlation = content.correlationRules.map(({ rule }) => rule).filter(isWanted)
  const results = await run(events ? rules.map((rule) => onEvents(rule, events)) : rules, correlation, content, cacheFolder)
  return { rules: results.map((result) => shown(result, short)), problems }
}

async function run(
  rules: readonly Rule[],
  correlation: readonly CorrelationRule[],
  content: Content,
  cacheFolder: string,
): Promise<RuleResult[]> {
  const options = { tables: new TestTables(content) }
  const results = [...runCorrelationTests(correlation, options)]
  if (rules.length === 0) return results
  const detectors = await createDetectors({ ...content, rules }, undefined, join(cacheFolder, 'python'))
  try {
    for await (const result of runTests(rules, detectors, options)) results.push(result)
    return results
  } finally {
    await endDetectors(detectors)
  }
}

function onEvents(rule: Rule, events: readonly string[]): Rule {
  const alerting = rule.kind !== 'policy'
  return {
    ...rule,
    tests: events.map((log, i) => ({ name: `event ${i + 1}`, expectedResult: alerting, log, mocks: [] })),
  }
}

function shown({ rule, tests, errors }: RuleResult, short: (text: string) => string): TrialRule {
  return { id: rule.id, tests: tests.map((test) => testShown(test, short)), errors: errors.map(short) }
}

function testShown(result: TestResult, short: (text: string) => string): TrialTest {
  const { test, passed, expected, run: made } = result
  const { detection, ...functions } = made.out
  const cut = (texts: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, short(text).slice(0, MAX_TEXT).toWellFormed()]))
  return {
    name: test,
    passed,
    expected,
    result: detection === 'true' ? true : detection === 'false' ? false : undefined,
    functions: cut(functions),
    errors: cut(made.errors),
    printed: short(made.printed).slice(0, MAX_TEXT).toWellFormed(),
    ms: Math.round(made.ms * 1000) / 1000,
    // Without the last line, which names the file.
    diff: passed
      ? []
      : failureText(result)
          .slice(0, -1)
          .map((line) => short(line.trim()).slice(0, MAX_TEXT).toWellFormed()),
  }
}

/** True if every test of every rule passed, and every file could be used. */
export function isPassed({ rules, problems }: Trial): boolean {
  return problems.length === 0 && rules.every(({ tests, errors }) => errors.length === 0 && tests.every(({ passed }) => passed))
}
