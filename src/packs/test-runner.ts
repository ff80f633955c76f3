import { compile } from '../model/condition/compile.ts'
import type { JsonObject } from '../model/json.ts'
import type { Rule, RuleKind, RuleTest } from '../model/rule.ts'
import type { CorrelationRule, CorrelationTest } from '../stages/detect/correlation/rule.ts'
import { runCorrelationTest } from '../stages/detect/correlation/unit-test.ts'
import type { Detector, DetectorTest, TestRun } from '../stages/detect/language.ts'
import { messageOf } from '../util/errors.ts'
import type { Detectors } from './detectors.ts'
import { jsonValue } from './json-text.ts'
import type { TestTables } from './test-tables.ts'

/** An item with unit tests: a rule of any kind, or a correlation rule. */
export interface Tested {
  readonly id: string
  /** The YAML file. */
  readonly file: string
  readonly kind?: RuleKind | 'correlation_rule'
}

/** The result of one unit test of one rule. */
export interface TestResult {
  readonly rule: Tested
  readonly test: string
  readonly passed: boolean
  readonly expected: boolean
  /** The event with joined tables, JSON. Absent: it is the test's own. */
  readonly joined?: string
  readonly run: TestRun
}

/** The results of all unit tests of a rule. */
export interface RuleResult {
  readonly rule: Tested
  readonly tests: readonly TestResult[]
  /** What is wrong with the rule besides its tests: it cannot be loaded, or has too few of them. */
  readonly errors: readonly string[]
  /** Why its tests were not run, if they were not. */
  readonly skipped?: string
}

export interface TestSummary {
  readonly detections: number
  readonly tests: number
  readonly passed: number
  readonly failed: number
  /** Files that cannot be used, rules that cannot be loaded or have too few tests. */
  readonly errors: number
}

export interface TestOptions {
  /** Number of tests required of each rule; above 1, also one test for each expectation. Default 0. */
  readonly minimumTests?: number
  /** Names of the tests to run. Default: all. */
  readonly testNames?: ReadonlySet<string> | undefined
  /** Existing destinations: a rule that names another one fails. Default: any name is accepted. */
  readonly destinations?: ReadonlySet<string> | undefined
  /** Disabled rules are skipped. */
  readonly skipDisabled?: boolean
  /** For tests that pin tables. */
  readonly tables?: TestTables
}

/**
 * Runs the unit tests of rules and returns the results in the order of the rules. All are requested at once, so that a detector can combine
 * many of them: crossing into a sandbox costs more than most tests.
 */
export async function* runTests(
  rules: readonly Rule[],
  detectors: Detectors,
  options: TestOptions = {},
): AsyncGenerator<RuleResult> {
  const results = rules.map((rule) => {
    const detector = detectors.get(rule.id)
    if (!detector) throw new Error(`there is no detector for the language '${rule.source.language}' of rule '${rule.id}'`)
    const result = runRule(rule, detector, options)
    // A failure is reported where the result is awaited, which may be later.
    result.catch(() => {})
    return result
  })
  for (const result of results) yield await result
}

async function runRule(rule: Rule, detector: Detector, options: TestOptions): Promise<RuleResult> {
  const wanted = chosen(rule, rule.tests, options)
  if (typeof wanted === 'string') return { rule, tests: [], errors: [], skipped: wanted }
  const filter = rule.inlineFilter && compile(rule.inlineFilter)
  const tests = await Promise.all(
    wanted.map(async (test): Promise<TestResult> => {
      const { name, expectedResult: expected } = test
      const result = await runPrepared(rule, test, detector, filter, options)
      return { rule, test: name, passed: isPassed(expected, result.run, rule.kind), expected, ...result }
    }),
  )
  const setup = detector.setupErrors.filter(({ ruleId }) => ruleId === rule.id).map(({ message }) => message)
  return { rule, tests, errors: [...setup, ...coverage(rule.tests, options.minimumTests ?? 0)] }
}

/** Runs the unit tests of correlation rules. */
export function* runCorrelationTests(rules: readonly CorrelationRule[], options: TestOptions = {}): Generator<RuleResult> {
  for (const rule of rules) {
    const tested: Tested = { id: rule.id, file: rule.file, kind: 'correlation_rule' }
    const wanted = chosen(rule, rule.tests, options)
    if (typeof wanted === 'string') {
      yield { rule: tested, tests: [], errors: [], skipped: wanted }
      continue
    }
    const tests = wanted.map((test): TestResult => {
      const run = runCorrelation(rule, test)
      const expected = test.expectedResult
      return { rule: tested, test: test.name, passed: isPassed(expected, run), expected, run }
    })
    yield { rule: tested, tests, errors: coverage(rule.tests, options.minimumTests ?? 0) }
  }
}

function runCorrelation(rule: CorrelationRule, test: CorrelationTest): TestRun {
  const started = performance.now()
  const took = () => performance.now() - started
  try {
    return { out: { detection: String(runCorrelationTest(rule, test)) }, errors: {}, printed: '', ms: took() }
  } catch (error) {
    return { out: {}, errors: { detection: messageOf(error) }, printed: '', ms: took() }
  }
}

/** The tests to run, or why there are none. */
function chosen<T extends { readonly name: string }>(
  rule: { readonly enabled: boolean },
  tests: readonly T[],
  { skipDisabled, testNames }: TestOptions,
): readonly T[] | string {
  if (skipDisabled && !rule.enabled) return 'it is disabled'
  if (!testNames) return tests
  const wanted = tests.filter(({ name }) => testNames.has(name))
  return wanted.length === 0 ? 'it has no test with a requested name' : wanted
}

async function runPrepared(
  rule: Rule,
  test: RuleTest,
  detector: Detector,
  filter: ((event: JsonObject) => boolean) | undefined,
  options: TestOptions,
): Promise<Pick<TestResult, 'joined' | 'run'>> {
  if (!test.tables) return { run: await runOne(rule, test, detector, filter, options) }
  let prepared: DetectorTest
  try {
    prepared = await options.tables!.prepare(rule, test)
  } catch (error) {
    return { run: { out: {}, errors: { detection: `Tables: ${messageOf(error)}` }, printed: '', ms: 0 } }
  }
  return { joined: prepared.log, run: await runOne(rule, prepared, detector, filter, options) }
}

async function runOne(
  rule: Rule,
  test: DetectorTest,
  detector: Detector,
  filter: ((event: JsonObject) => boolean) | undefined,
  { destinations }: TestOptions,
): Promise<TestRun> {
  // An event that a filter drops is not a match.
  if (filter && !filter(jsonValue(test.log) as JsonObject)) return { out: { detection: 'false' }, errors: {}, printed: '', ms: 0 }
  const run = await detector.test(rule.id, test)
  const named = run.out['destinations']
  if (destinations === undefined || named === undefined || Object.hasOwn(run.errors, 'destinations')) return run
  const list: unknown = JSON.parse(named)
  const unknown = Array.isArray(list) ? list.filter((one) => !destinations.has(String(one))) : []
  if (unknown.length === 0) return run
  return {
    ...run,
    errors: { ...run.errors, destinations: `UnknownDestinationError('Invalid Destinations: ${JSON.stringify(unknown)}')` },
  }
}

/**
 * A test that expects an alert passes if the detection matched and no function failed. One that expects none passes if the detection did
 * not match, whatever the other functions did, since they would not have run. A policy alerts by returning false.
 */
export function isPassed(expected: boolean, { out, errors }: TestRun, kind: Tested['kind'] = 'rule'): boolean {
  if (Object.hasOwn(errors, 'detection')) return false
  const expectsAlert = expected !== (kind === 'policy')
  return out['detection'] === String(expected) && (!expectsAlert || Object.keys(errors).length === 0)
}

function coverage(tests: readonly { readonly expectedResult: boolean }[], minimum: number): string[] {
  const found = tests.length
  if (found < minimum) return [`Insufficient test coverage: ${minimum} tests required but only ${found} found`]
  const isOneSided = new Set(tests.map((test) => test.expectedResult)).size < 2
  return minimum > 1 && isOneSided ? ['Insufficient test coverage: expected at least one positive and one negative test'] : []
}

/** Counts results; `problems` is the number of files that cannot be used. */
export function addUp(results: readonly RuleResult[], problems: number): TestSummary {
  const ran = results.filter(({ skipped }) => skipped === undefined)
  const tests = ran.flatMap((result) => result.tests)
  const passed = tests.filter((test) => test.passed).length
  return {
    detections: ran.length,
    tests: tests.length,
    passed,
    failed: tests.length - passed,
    errors: problems + ran.reduce((sum, { errors }) => sum + errors.length, 0),
  }
}
