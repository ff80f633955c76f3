import type { Finding, Match, RuleError } from '../../../model/match.ts'
import type { HelperModule, Rule, RuleTest } from '../../../model/rule.ts'
import type { DetectBatch } from '../language.ts'

/** A rule for tests, for log type `Test.Log`, in `/root/rules`. */
export function makeRule(id: string, code: string, extra: Partial<Rule> = {}): Rule {
  return {
    id,
    displayName: `Name of ${id}`,
    enabled: true,
    logTypes: ['Test.Log'],
    severity: 'MEDIUM',
    description: 'YAML description',
    reference: 'YAML reference',
    runbook: 'YAML runbook',
    tags: [],
    reports: {},
    dedupPeriodMinutes: 60,
    threshold: 1,
    summaryAttributes: [],
    outputIds: [],
    createAlert: true,
    tests: [],
    file: `/root/rules/${id}.yml`,
    source: { language: 'python', file: `/root/rules/${id}.py`, code: dedent(code) },
    ...extra,
  }
}

/** A helper module; importable by every rule of the root unless it has a folder. */
export function makeHelper(name: string, code: string, root = '/root', folder?: string): HelperModule {
  return { name, file: `${folder ?? `${root}/helpers`}/${name}.py`, code: dedent(code), root, folder }
}

/** Events as a batch of `Test.Log`. */
export function makeBatch(events: readonly object[], logType = 'Test.Log'): DetectBatch {
  const text = events.map((event) => `${JSON.stringify(event)}\n`).join('')
  return { logType, ndjson: new TextEncoder().encode(text), count: events.length }
}

export function makeTest(log: object | string, mocks: RuleTest['mocks'] = []): RuleTest {
  return { name: 'a test', expectedResult: true, log: typeof log === 'string' ? log : JSON.stringify(log), mocks }
}

export function matchesOf(findings: readonly Finding[]): Match[] {
  return findings.filter((finding): finding is Match => finding.kind === 'match')
}

export function errorsOf(findings: readonly Finding[]): RuleError[] {
  return findings.filter((finding): finding is RuleError => finding.kind === 'error')
}

/** Removes the indentation of the first line with text, so that Python can be indented in a test. */
export function dedent(code: string): string {
  const indent = /^\n*( *)\S/.exec(code)?.[1] ?? ''
  return code.replaceAll(`\n${indent}`, '\n').trimStart()
}
