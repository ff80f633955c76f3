import type { Problem } from './content.ts'
import { failureText, problemLine } from './test-report.ts'
import type { RuleResult, TestResult } from './test-runner.ts'

/**
 * A run as a JUnit report, which build servers read: a suite for each rule, a case for each test. Faults of a rule or a file
 * other than failed tests are cases with an error.
 */
export function junitReport(results: readonly RuleResult[], problems: readonly Problem[]): string {
  const suites = results.map((result) => {
    const { rule, tests, errors, skipped } = result
    const seconds = tests.reduce((sum, { run }) => sum + run.ms, 0) / 1000
    const cases = [
      ...tests.map((test) => testCase(test)),
      ...errors.map((error) => errorCase(rule.id, rule.file, 'the rule itself', error)),
      ...(skipped === undefined ? [] : [`<testcase ${attributes({ classname: rule.id, name: 'all' })}><skipped/></testcase>`]),
    ]
    const counts = {
      name: rule.id,
      tests: cases.length,
      failures: tests.filter(({ passed }) => !passed).length,
      errors: errors.length,
      skipped: skipped === undefined ? 0 : 1,
      time: seconds.toFixed(3),
    }
    return suite(counts, cases)
  })
  if (problems.length > 0) {
    const cases = problems.map((problem) => errorCase('content', problem.file, problem.file, problemLine(problem)))
    suites.push(suite({ name: 'content', tests: cases.length, failures: 0, errors: cases.length, skipped: 0 }, cases))
  }
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>\n`
}

function suite(counts: Readonly<Record<string, string | number>>, cases: readonly string[]): string {
  return `  <testsuite ${attributes(counts)}>\n${cases.map((one) => `    ${one}\n`).join('')}  </testsuite>`
}

function testCase(test: TestResult): string {
  const { rule, test: name, passed, run } = test
  const head = attributes({ classname: rule.id, name, file: rule.file, time: (run.ms / 1000).toFixed(3) })
  if (passed) return `<testcase ${head}/>`
  const message = Object.values(run.errors)[0] ?? `expected ${test.expected}`
  const lines = failureText(test).map((line) => line.trim())
  return `<testcase ${head}><failure ${attributes({ message })}>${escaped(lines.join('\n'))}</failure></testcase>`
}

function errorCase(classname: string, file: string, name: string, message: string): string {
  return `<testcase ${attributes({ classname, name, file })}><error ${attributes({ message })}/></testcase>`
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${escaped(String(value))}"`)
    .join(' ')
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\n': '&#10;' }

/** Text of XML 1.0: most control characters and lone surrogates have no form there. */
function escaped(text: string): string {
  const plain = [...text.toWellFormed()].map((c) => (isXml(c.codePointAt(0)!) ? c : '\ufffd')).join('')
  return plain.replace(/[&<>"\n]/g, (c) => ENTITIES[c]!)
}

function isXml(code: number): boolean {
  return code === 9 || code === 10 || code === 13 || (code >= 32 && code !== 0xfffe && code !== 0xffff)
}
