import type { Problem } from './content.ts'
import type { RuleResult, TestResult, TestSummary } from './test-runner.ts'

/** `file:line: message`. */
export function problemLine({ file, line, message }: Problem): string {
  return `${file}${line === undefined ? '' : `:${line}`}: ${message}`
}

export function problemJson({ file, line, message }: Problem): string {
  return JSON.stringify({ file, line: line ?? null, error: message })
}

/** The JSON line of a test. What functions returned is already exact JSON text. */
export function testJson({ rule, test, passed, expected, run }: TestResult): string {
  const out = Object.entries(run.out).map(([name, text]) => `${JSON.stringify(name)}:${text}`)
  const where = run.where && Object.keys(run.where).length > 0 ? { where: run.where } : {}
  const rest = JSON.stringify({ errors: run.errors, ...where, ms: Math.round(run.ms * 1000) / 1000 }).slice(1)
  return `${JSON.stringify({ id: rule.id, test, passed, expected }).slice(0, -1)},"out":{${out.join(',')}},${rest}`
}

/** The JSON lines of a rule: one for each test, one for each error of the rule itself. */
export function ruleJson({ rule, tests, errors }: RuleResult): string[] {
  return [...tests.map(testJson), ...errors.map((error) => JSON.stringify({ id: rule.id, error }))]
}

export function summaryJson(summary: TestSummary): string {
  return JSON.stringify({ summary })
}

/** Ordered by id, those with nothing to fix first. */
export function sorted(results: readonly RuleResult[]): RuleResult[] {
  const byId = results.toSorted((a, b) => (a.rule.id < b.rule.id ? -1 : 1))
  return [...byId.filter(isGood), ...byId.filter((result) => !isGood(result))]
}

/** True if there is nothing to fix in a rule. */
export function isGood({ tests, errors }: RuleResult): boolean {
  return errors.length === 0 && tests.every((test) => test.passed)
}

/** A rule and its tests for display; failed tests with the expected and actual result, and where it went wrong. */
export function ruleText({ rule, tests, errors, skipped }: RuleResult, failuresOnly: boolean): string[] {
  const lines = [rule.id]
  if (skipped !== undefined) return [...lines, `  skipped: ${skipped}`]
  for (const error of errors) lines.push(`  ERROR ${indent(error, 8)}`)
  if (tests.length === 0 && errors.length === 0) lines.push('  no tests')
  for (const test of tests) {
    if (test.passed && failuresOnly) continue
    lines.push(`  ${test.passed ? 'PASS ' : 'FAIL '} ${test.test}`)
    if (!test.passed) lines.push(...failureText(test))
  }
  return lines
}

/** What went wrong in a failed test, for display. */
export function failureText({ rule, expected, run }: TestResult): string[] {
  const lines: string[] = []
  const main = rule.kind === 'policy' ? 'policy' : 'rule'
  const shownName = (name: string) => (name === 'detection' ? main : name)
  if (run.out['detection'] !== String(expected)) {
    lines.push(`        - expected  ${main}: ${expected}`, `        + actual    ${main}: ${run.out['detection'] ?? '(failed)'}`)
  }
  for (const [name, error] of Object.entries(run.errors)) {
    lines.push(`        ${shownName(name)} failed: ${indent(error, 10)}`)
    if (run.where?.[name] !== undefined) lines.push(`          at ${run.where[name]}`)
  }
  const others = Object.entries(run.out).filter(([name]) => name !== 'detection')
  for (const [name, text] of others)
    lines.push(`        ${shownName(name)}: ${text.length > 500 ? `${text.slice(0, 500)}…` : text}`)
  if (run.printed) lines.push(`        printed: ${indent(run.printed.trimEnd(), 10)}`)
  lines.push(`        in ${rule.file}`)
  return lines
}

function indent(text: string, spaces: number): string {
  return text.replaceAll('\n', `\n${' '.repeat(spaces)}`)
}

export function summaryText({ detections, tests, passed, failed, errors }: TestSummary, skipped = 0): string {
  const text = `${detections} detections, ${tests} tests: ${passed} passed, ${failed} failed, ${errors} errors`
  return skipped > 0 ? `${text}, ${skipped} detections skipped` : text
}
