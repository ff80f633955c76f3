import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { selectTests } from '../../src/packs/test-scope.ts'
import { packageRoot } from '../../src/util/entry.ts'
import { runWith } from '../support/cli.ts'

// Our own content in Panther's format, one item for each feature of the format, run through the actual commands.

const CONTENT = join(packageRoot(), 'test/content')
const folder = mkdtempSync(join(tmpdir(), 'caracal-content-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterEach(() => {
  process.exitCode = 0
})

// The results are saved next to the test's own files.
const caracal = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runWith({ XDG_CACHE_HOME: folder, ...env }, argv)

interface Line {
  readonly id?: string
  readonly test?: string
  readonly passed?: boolean
  readonly out?: Readonly<Record<string, unknown>>
  readonly error?: string
  readonly summary?: unknown
}

async function testLines(...argv: readonly string[]): Promise<Line[]> {
  const { out } = await caracal(['test', '--path', CONTENT, '--json', ...argv])
  return out
    .trimEnd()
    .split('\n')
    .map((line): Line => JSON.parse(line))
}

describe('caracal test', () => {
  test('runs rules, detections in YAML, derived and scheduled rules, policies and correlation rules', async () => {
    const lines = await testLines()
    expect(lines.filter(({ passed, error }) => passed === false || error)).toEqual([])
    expect(lines.at(-1)).toEqual({ summary: { detections: 8, tests: 21, passed: 21, failed: 0, errors: 0 } })
  })

  test('a rule uses helpers, the data model of its event, mocks, and numbers beyond 2^53', async () => {
    const lines = await testLines('--filter', 'RuleID=Acme.Door.Night')
    expect(lines[0]).toMatchObject({
      test: 'opened at night',
      out: {
        detection: true,
        title: 'Grace opened vault at 3',
        dedup: 'grace',
        severity: 'HIGH',
        unique: '10.1.2.3',
        alert_context: { door: 'vault', path: 'badge.holder.name' },
      },
    })
    const { out } = await caracal(['test', '--path', CONTENT, '--json', '--filter', 'RuleID=Acme.Door.Night'])
    expect(out).toContain('"badge": 9007199254740993')
  })

  test('an event that an inline filter rejects does not match, and no function runs', async () => {
    const lines = await testLines('--test-names', 'the test site does not count')
    expect(lines[0]).toMatchObject({ id: 'Acme.Door.Forced', passed: true, out: { detection: false } })
    expect(Object.keys(lines[0]?.out ?? {})).toEqual(['detection'])
    expect(lines.at(-1)?.summary).toMatchObject({ detections: 1, tests: 1 })
  })

  const filters = [
    { filter: ['Status=experimental'], ids: ['Acme.Door.Night', 'Acme.Door.Night.Vault'] },
    { filter: ['AnalysisType=policy'], ids: ['Acme.Lock.Encrypted'] },
    { filter: ['ResourceTypes=acme.lock'], ids: ['Acme.Lock.Encrypted'] },
    { filter: ['AnalysisType=correlation_rule,scheduled_rule'], ids: ['Acme.ManyDoors', 'Acme.Night.Then.Forced'] },
    { filter: ['BaseDetection!='], ids: ['Acme.Door.Night.Vault'] },
    {
      filter: ['Severity=Critical', 'Status='],
      ids: ['Acme.Night.Then.Forced', 'Story.SSH.From.Malicious.IP', 'Story.SSH.From.Tor'],
    },
    { filter: ['PolicyID!=', 'RuleID='], ids: ['Acme.Lock.Encrypted'] },
  ]
  test.each(filters)('--filter $filter: $ids', async ({ filter, ids }) => {
    const scope = await selectTests({ path: CONTENT, folders: [], filters: filter, ignore: [], cache: undefined })
    expect([...scope.rules, ...scope.correlationRules].map(({ id }) => id).sort()).toEqual(ids)
  })

  test('--path on a sub-folder or a file finds the helpers and data models around it', async () => {
    for (const path of ['rules/acme', 'rules/acme/acme_door_night.yml']) {
      const { code, out } = await caracal(['test', '--path', join(CONTENT, path), '--filter', 'RuleID=Acme.Door.Night'])
      expect([code, out]).toEqual([0, expect.stringContaining('1 detections, 3 tests: 3 passed, 0 failed, 0 errors\n')])
    }
  })

  test('disabled rules are skipped on request, and the others need the minimum number of tests', async () => {
    const { code, out } = await caracal([
      'test',
      '--path',
      CONTENT,
      '--skip-disabled-tests',
      '--minimum-tests',
      '3',
      '--sort-test-results',
    ])
    expect(code).toBe(1)
    expect(out).toContain('Acme.ManyDoors\n  skipped: it is disabled\n')
    expect(out).toContain('Acme.Lock.Encrypted\n  ERROR Insufficient test coverage: 3 tests required but only 2 found\n')
    expect(out.indexOf('Acme.Lock.Encrypted')).toBeGreaterThan(out.indexOf('Story.SSH.From.Tor'))
    expect(out).toContain('7 detections, 19 tests: 19 passed, 0 failed, 2 errors, 1 detections skipped\n')
  })

  test('the environment variables of Panther’s tool apply, and the command line takes precedence', async () => {
    const env = { PANTHER_PATH: CONTENT, PANTHER_FILTER: 'AnalysisType=policy', PANTHER_MINIMUM_TESTS: '9' }
    const first = await caracal(['test', '--json'], env)
    expect(first.code).toBe(1)
    expect(first.out).toContain('"id":"Acme.Lock.Encrypted"')
    expect(first.out).not.toContain('Acme.Door')
    const second = await caracal(['test', '--json', '--minimum-tests', '1', '--filter', 'RuleID=Acme.ManyDoors'], env)
    expect([second.code, second.out]).toEqual([0, expect.stringContaining('"detections":1')])
  })

  test('a JUnit report has a suite for each rule', async () => {
    const file = join(folder, 'report.xml')
    const { code } = await caracal(['test', '--path', CONTENT, '--junit', file, '--filter', 'AnalysisType=policy'])
    expect(code).toBe(0)
    const report = readFileSync(file, 'utf8')
    expect(report).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites>\n {2}<testsuite name="Acme.Lock.Encrypted" tests="2" failures="0"/,
    )
    expect(report).toContain('<testcase classname="Acme.Lock.Encrypted" name="one link in the clear" file="')
  })
})

describe('caracal debug', () => {
  test('shows the event, the printed text, and the return value of each function', async () => {
    const root = mkdtempSync(join(folder, 'debug-'))
    writeFileSync(
      join(root, 'r.yml'),
      'AnalysisType: rule\nRuleID: R\nEnabled: true\nFilename: r.py\nLogTypes: [A.B]\nSeverity: Low\nTests:\n  - { Name: t, ExpectedResult: true, Log: { n: 1 } }\n',
    )
    writeFileSync(
      join(root, 'r.py'),
      'def rule(event):\n    print("hello")\n    return True\n\ndef title(event):\n    return event["m"]\n',
    )
    const { code, out } = await caracal(['debug', 'R', 't', '--path', root])
    expect(code).toBe(1)
    expect(out).toContain('event\n  {"n":1}\n\nprinted\n  hello\n\nreturned\n  rule: true\n  title failed: KeyError(\'m\')\n')
    expect(out).toContain('FAIL  expected true')
  })

  test.each([
    [['Acme.Door.Nigth', 'x'], "there is no rule 'Acme.Door.Nigth': did you mean 'Acme.Door.Night'?"],
    [['Acme.Door.Night', 'x'], "rule 'Acme.Door.Night' has no test 'x'. Its tests:\n  opened at night\n"],
  ])('%j: exit code 2', async (argv, says) => {
    const { code, err } = await caracal(['debug', ...argv, '--path', CONTENT])
    expect([code, err]).toEqual([2, expect.stringContaining(says)])
  })
})

describe('caracal benchmark', () => {
  test('measures each enabled rule on the events of the tests', async () => {
    const { code, out } = await caracal(['benchmark', '--path', CONTENT, '--iterations', '2', '--json'])
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line): { id?: string; share?: number; summary?: unknown } => JSON.parse(line))
    expect(code).toBe(0)
    expect(lines.at(-1)?.summary).toMatchObject({ rules: 5, rule_errors: expect.any(Number) })
    expect(lines.reduce((sum, { share = 0 }) => sum + share, 0)).toBeCloseTo(1, 2)
  })

  test('measures on the events of a file', async () => {
    const file = join(folder, 'events.ndjson')
    writeFileSync(file, '{"door":"vault","state":"forced"}\n\n{"door":"gate"}\n')
    const argv = ['benchmark', '--path', CONTENT, '--events', file, '--filter', 'RuleID=Acme.Door.Forced', '--iterations', '3']
    const { out } = await caracal([...argv, '--log-type', 'Acme.Door'])
    expect(out).toMatch(
      /^rule +µs\/event +share +events\nAcme\.Door\.Forced .*\n1 rules, 6 events, \d+ events\/s, 0 rule errors\n$/,
    )
    expect((await caracal(argv)).err).toContain('--events needs --log-type')
  })
})

describe('caracal validate', () => {
  test('counts every kind and names items that do not run', async () => {
    const { code, out } = await caracal(['validate', '--content', CONTENT, '--json'])
    expect(code).toBe(0)
    expect(out).toContain(
      '"policies":1,"correlation_rules":2,"data_models":1,"scheduled_queries":1,"saved_queries":1,"dashboards":3,"problems":0',
    )
    expect(out).toContain("no enabled rule judges its rows and nobody gets them by mail: scheduled_query 'Acme Many Doors'")
  })

  test('names the queries that cannot be translated; tables of shipped schemas count wherever the queries are', async () => {
    const queries = join(folder, 'queries')
    mkdirSync(queries)
    const query = (name: string, sql: string) =>
      `AnalysisType: scheduled_query\nQueryName: ${name}\nEnabled: false\nQuery: ${sql}\nSchedule: { RateMinutes: 60, TimeoutMinutes: 2 }\n`
    writeFileSync(join(queries, 'ssh.yml'), query('Logins', 'select p_event_time from panther_logs.public.zeek_ssh'))
    writeFileSync(join(queries, 'gone.yml'), query('Nowhere', 'select a from panther_logs.public.custom_nowhere'))
    const { code, out } = await caracal(['validate', '--path', queries])
    expect(code).toBe(0)
    expect(out.split('\n').filter((line) => line.includes('cannot run'))).toEqual([
      expect.stringMatching(/^notice .*gone\.yml: scheduled_query 'Nowhere' cannot run: the table logs\.custom_nowhere: /),
    ])
  })
})
