import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { Content } from './content.ts'
import { loadContent } from './load.ts'

const made: string[] = []
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'caracal-kinds-'))
  made.push(root)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

function reported(content: Content, root: string): string[] {
  return content.problems.map(({ file, line, message }) => `${relative(root, file)}:${line ?? '-'} ${message}`)
}

function notices(content: Content, root: string): string[] {
  return content.notices.map((notice) => notice.replaceAll(`${root}/`, ''))
}

const CODE = 'def rule(event):\n    return True\n'
const RULE = 'AnalysisType: rule\nRuleID: R\nEnabled: true\nFilename: r.py\nLogTypes: [Custom.A]\nSeverity: Low\n'
const SIMPLE = RULE.replace('Filename: r.py\n', 'Detection:\n  - { Key: a, Condition: Equals, Value: 12345678901234567890 }\n')
const POLICY = 'AnalysisType: policy\nPolicyID: P\nEnabled: true\nFilename: p.py\nSeverity: High\n'
const SCHEDULED =
  'AnalysisType: scheduled_rule\nRuleID: S\nEnabled: true\nFilename: r.py\nScheduledQueries: [Q]\nSeverity: Info\n'
const MODEL =
  'AnalysisType: datamodel\nDataModelID: M\nEnabled: true\nLogTypes: [Custom.A]\nMappings:\n  - { Name: source_ip, Path: $.a.b }\n'
const QUERY =
  'AnalysisType: scheduled_query\nQueryName: Q\nEnabled: false\nQuery: select 1\nSchedule: { RateMinutes: 5, TimeoutMinutes: 2 }\n'
const CORRELATION =
  'AnalysisType: correlation_rule\nRuleID: C\nEnabled: true\nSeverity: High\nReports: { CIS: [3.10] }\nStatus: Experimental\n' +
  'Detection:\n  - Group:\n      - { ID: a, RuleID: R }\n      - { ID: b, RuleID: R2 }\n'

test('unknown keys of rules and policies are notices on request, those of other kinds never', async () => {
  const test = 'Tests:\n  - { Name: t, ExpectedResult: true, Log: {}, Own: 1 }\n'
  const root = tree({
    'r.yml': `${RULE}Descripton: x\n${test}`,
    'r.py': CODE,
    'd.yml': 'AnalysisType: rule\nRuleID: D\nBaseDetection: R\nOwn: [1]\n',
    'p.yml': `${POLICY}ResourceTypes: [AWS.S3.Bucket]\nOwn: { a: 1 }\n`,
    'p.py': 'def policy(resource):\n    return True\n',
    's.yml': `${SCHEDULED}Threshold: x\nOwn: 1\n`,
    'm.yml': `${MODEL}Own: 1\n`,
  })
  expect((await loadContent([root])).rules).toEqual([])
  const content = await loadContent([root], { ignoreExtraKeys: true })
  expect(content.rules.map(({ id }) => id)).toEqual(['R', 'D'])
  expect(content.rules[0]?.tests).toHaveLength(1)
  expect(content.policies.map(({ id }) => id)).toEqual(['P'])
  expect(notices(content, root).toSorted()).toEqual([
    "d.yml: unknown key 'Own' is ignored: remove it",
    "p.yml: unknown key 'Own' is ignored: remove it",
    "r.yml: unknown key 'Descripton' is ignored: did you mean 'Description'?",
    "r.yml: unknown key 'Tests.0.Own' is ignored: remove it",
  ])
  // Other mistakes are still problems.
  expect(reported(content, root).map((problem) => problem.replace(/: .*/, ''))).toEqual([
    "m.yml:7 unknown key 'Own'",
    's.yml:7 Threshold',
  ])
})

describe('every kind is read', () => {
  test('a scheduled rule names its queries, a policy its resources', async () => {
    const root = tree({
      's.yml': SCHEDULED,
      'r.py': CODE,
      'p.yml': `${POLICY}ResourceTypes: [AWS.S3.Bucket]\nSuppressions: ["x*"]\nTests:\n  - { Name: t, ExpectedResult: false, Resource: { n: 1.0 } }\n`,
      'p.py': 'def policy(resource):\n    return True\n',
    })
    const content = await loadContent([root])
    expect(reported(content, root)).toEqual([])
    expect(content.rules).toEqual([])
    expect(content.scheduledRules).toMatchObject([{ kind: 'scheduled_rule', id: 'S', logTypes: [], scheduledQueries: ['Q'] }])
    expect(content.policies).toMatchObject([
      {
        kind: 'policy',
        id: 'P',
        policy: { resourceTypes: ['AWS.S3.Bucket'], suppressions: ['x*'] },
        tests: [{ name: 't', expectedResult: false, log: '{"n":1.0}' }],
      },
    ])
    expect(notices(content, root)).toEqual([])
  })

  test('a policy for any resource is reported if no policy names a resource type', async () => {
    const code = { 'p.py': 'def policy(resource):\n    return True\n' }
    const alone = tree({ 'p.yml': POLICY, ...code })
    expect(notices(await loadContent([alone]), alone)).toEqual([
      "p.yml: policy 'P' does not judge any resources: no policy names ResourceTypes",
    ])
    const typed = `${POLICY.replace(': P', ': T')}ResourceTypes: [AWS.S3.Bucket]\n`
    const both = tree({ 'p.yml': POLICY, 't.yml': typed, ...code })
    expect(notices(await loadContent([both]), both)).toEqual([])
  })

  test('a detection in YAML is a rule whose code is that part of the YAML, numbers exact', async () => {
    const root = tree({ 'r.yml': `${SIMPLE}AlertTitle: "{a}"\n` })
    const content = await loadContent([root])
    expect(reported(content, root)).toEqual([])
    expect(content.rules.map(({ source }) => source)).toEqual([
      {
        language: 'simple',
        file: join(root, 'r.yml'),
        code: '{"Detection":[{"Key":"a","Condition":"Equals","Value":12345678901234567890}],"AlertTitle":"{a}"}',
      },
    ])
  })

  test('a data model has its mappings and its code, queries their schedule, correlation rules their conditions', async () => {
    const root = tree({
      'm.yml': `${MODEL}  - { Name: who, Method: get_who }\nFilename: m.py\n`,
      'm.py': 'def get_who(event):\n    return 1\n',
      'q.yml': QUERY,
      'saved.yml': 'AnalysisType: saved_query\nQueryName: Kept\nSnowflakeQuery: select 2\nAthenaQuery: select 3\n',
      'c.yml': CORRELATION,
      'prompt.yml': 'AnalysisType: scheduled_prompt\nPromptName: Ask\n',
    })
    const content = await loadContent([root])
    expect(reported(content, root)).toEqual([])
    expect(content.dataModels).toMatchObject([
      {
        id: 'M',
        root,
        mappings: [
          { name: 'source_ip', path: '$.a.b' },
          { name: 'who', method: 'get_who' },
        ],
        source: { file: join(root, 'm.py') },
      },
    ])
    expect(content.scheduledQueries).toMatchObject([
      { name: 'Q', dialect: 'any', schedule: { rateMinutes: 5, timeoutMinutes: 2 } },
    ])
    expect(content.savedQueries).toMatchObject([{ name: 'Kept', dialect: 'snowflake', sql: 'select 2' }])
    expect(content.correlationRules).toMatchObject([{ id: 'C', status: 'Experimental', rule: { reports: { CIS: ['3.10'] } } }])
    expect(notices(content, root)).toEqual(["prompt.yml: scheduled_prompt 'Ask' is accepted and ignored"])
  })

  test('an enabled query whose rows nobody judges or gets by mail is reported, and so is an EmailConfig without recipients', async () => {
    const enabled = QUERY.replace('false', 'true')
    const mailed = tree({ 'q.yml': `${enabled}EmailConfig: { Recipients: [a@b.example] }\n` })
    expect(notices(await loadContent([mailed]), mailed)).toEqual([])
    const unsent = tree({ 'q.yml': `${enabled}EmailConfig: { Recipients: [] }\n`, 's.yml': SCHEDULED, 'r.py': CODE })
    expect(notices(await loadContent([unsent]), unsent)).toEqual(["q.yml: EmailConfig of scheduled_query 'Q' has no Recipients"])
    const broken = tree({ 'q.yml': `${enabled}EmailConfig: { Recipients: ["a@b.example\\nBcc: c@d.example"] }\n` })
    const { problems } = await loadContent([broken])
    expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining('must be an e-mail address')])
    const alone = tree({ 'q.yml': enabled, 'off.yml': SCHEDULED.replace('true', 'false'), 'r.py': CODE })
    expect(notices(await loadContent([alone]), alone)).toEqual([
      "q.yml: not run because no enabled rule judges its rows and nobody gets them by mail: scheduled_query 'Q'",
    ])
  })

  test('a scheduled rule that names no scheduled query is reported with the names it has', async () => {
    const saved = 'AnalysisType: saved_query\nQueryName: Kept\nQuery: select 2\n'
    const rule = SCHEDULED.replace('[Q]', '[Q, Gone, Kept]')
    const root = tree({ 'q.yml': QUERY, 'saved.yml': saved, 's.yml': rule, 'r.py': CODE })
    expect(notices(await loadContent([root]), root)).toEqual([
      "s.yml: rule 'S' gets no rows from a query that it names: 'Kept' is a saved_query, which never runs",
    ])
  })

  test('keys without effect are reported: look-back of queries, a schedule that never occurs', async () => {
    const order =
      '    EventEvaluationOrder: ReverseChronological\n    Schedule: { CronExpression: "0 0 31 2 *", TimeoutMinutes: 5 }\n'
    const root = tree({
      'q.yml': `${QUERY}Lookback: true\nLookbackWindowSeconds: 90\n`,
      'off.yml': `${QUERY.replace(': Q', ': Off')}Lookback: false\nLookbackWindowSeconds: 0\n`,
      'c.yml': `${CORRELATION}${order}`,
      'd.yml': `${CORRELATION.replace(': C', ': D')}    EventEvaluationOrder: Chronological\n`,
    })
    const content = await loadContent([root])
    expect(reported(content, root)).toEqual([])
    expect(notices(content, root)).toEqual([
      "q.yml: Lookback has no effect: the SQL of query 'Q' determines which time it covers",
      "c.yml: the Schedule of correlation_rule 'C' never runs: CronExpression '0 0 31 2 *' describes a time that never occurs",
    ])
  })

  test('an inline filter becomes a condition of its rule', async () => {
    const root = tree({ 'r.yml': `${RULE}InlineFilters:\n  - { KeyPath: a, Condition: Equals, Value: 1 }\n`, 'r.py': CODE })
    const content = await loadContent([root])
    expect(content.rules[0]?.inlineFilter?.op).toBe('and')
  })
})

describe('problems with an item are reported with its line', () => {
  const mistakes: readonly { readonly of: string; readonly tells: string }[] = [
    { of: `${SIMPLE}Filename: r.py\n`, tells: '4 Detection: a rule has either a Filename or a Detection: remove one' },
    { of: RULE.replace('Filename: r.py\n', ''), tells: '1 Filename: is missing: add it, or a Detection' },
    { of: SIMPLE.replace('Equals', 'Equls'), tells: '5 Detection.0.Condition: the condition "Equls" is unknown' },
    {
      of: `${RULE}InlineFilters: [{ KeyPath: a, Condition: AnyElement, Expressions: [] }]\n`,
      tells: '7 InlineFilters.0: Expressions is',
    },
    { of: `${RULE}Tags: [AWS, aws]\n`, tells: "7 Tags.1: 'aws' is listed twice" },
    { of: `${RULE}ScheduledQueries: [Q]\n`, tells: "7 unknown key 'ScheduledQueries': remove it" },
    { of: `${RULE}BaseDetection: B\n`, tells: "4 unknown key 'Filename'" },
    { of: POLICY.replace('Severity: High\n', ''), tells: '1 Severity: is missing: add it' },
    { of: `${POLICY}Threshold: 2\n`, tells: "6 unknown key 'Threshold': remove it" },
    { of: `${POLICY}Tests:\n  - { Name: t, ExpectedResult: true, Log: {} }\n`, tells: '7 Tests.0.Resource: is missing: add it' },
    { of: MODEL.replace('Path: $.a.b', 'Pth: $.a.b'), tells: '6 Mappings.0: needs either a Path or a Method' },
    { of: MODEL.replace('Path: $.a.b', 'Method: m'), tells: '6 Mappings.0.Method: needs a Filename' },
    { of: `${MODEL}  - { Name: Source_IP, Path: x }\n`, tells: "7 Mappings.1.Name: 'Source_IP' is mapped twice" },
    { of: QUERY.replace('RateMinutes: 5', 'RateMinutes: 1'), tells: '5 Schedule.RateMinutes: must be at least' },
    {
      of: QUERY.replace('TimeoutMinutes: 2', 'TimeoutMinutes: 9'),
      tells: '5 Schedule: RateMinutes must not be less than TimeoutMinutes',
    },
    { of: QUERY.replace('RateMinutes: 5, ', ''), tells: '5 Schedule: needs either RateMinutes or a CronExpression' },
    { of: QUERY.replace('Query: select 1\n', ''), tells: '2 QueryName: a query has one of Query, SnowflakeQuery' },
    { of: CORRELATION.replace('RuleID: R2', 'RuleId: R2'), tells: '10 Detection.0.Group.1.RuleID: is missing: add it' },
    { of: CORRELATION.replace('Group:', 'Grup:'), tells: "8 unknown key 'Detection.0.Grup'" },
  ]
  test.each(mistakes)('$tells', async ({ of, tells }) => {
    const root = tree({ 'x.yml': of, 'r.py': CODE, 'p.py': '' })
    const content = await loadContent([root])
    expect(reported(content, root).join('\n')).toContain(`x.yml:${tells}`)
  })

  test('a log type has one enabled data model per root, and across roots the later one counts', async () => {
    const second = MODEL.replace('ID: M', 'ID: N').replace('[Custom.A]', '[Custom.A, Custom.B]')
    const one = tree({ 'm.yml': MODEL, 'n.yml': second, 'off.yml': MODEL.replace('ID: M', 'ID: Off').replace('true', 'false') })
    const alone = await loadContent([one])
    expect(reported(alone, one)).toEqual(["n.yml:- LogTypes: 'M' is a data model of Custom.A already: disable one of them"])
    expect(alone.dataModels.map(({ id }) => id)).toEqual(['M'])
    const roots = [tree({ 'n.yml': second }), tree({ 'm.yml': MODEL })]
    const both = await loadContent(roots)
    expect(both.dataModels.map(({ id, logTypes }) => [id, logTypes])).toEqual([
      ['M', ['Custom.A']],
      ['N', ['Custom.B']],
    ])
    expect(both.notices).toEqual([
      `data model for 'Custom.A' in ${join(roots[0]!, 'n.yml')} is overridden by ${join(roots[1]!, 'm.yml')}`,
    ])
  })
})

describe('derived rules', () => {
  const tests = 'Tests:\n  - { Name: t, ExpectedResult: true, Log: { a: 1 } }\n'
  const derived = 'AnalysisType: rule\nRuleID: D\nBaseDetection: R\nSeverity: Critical\n'

  test('inherit code, tests and metadata of their base, even from another root, and set the rest themselves', async () => {
    const base = tree({ 'r.yml': `${RULE}Description: why\n${tests}`, 'r.py': CODE })
    const own = tree({ 'd.yml': derived, 'e.yml': derived.replace('ID: D', 'ID: E').replace('Detection: R', 'Detection: D') })
    const { rules, problems } = await loadContent([base, own])
    expect(problems).toEqual([])
    expect(
      rules.map(({ id, severity, description, tests: own, baseDetection, source }) => [
        id,
        severity,
        description,
        own.length,
        baseDetection,
        source.code,
      ]),
    ).toEqual([
      ['R', 'LOW', 'why', 1, undefined, CODE],
      ['D', 'CRITICAL', 'why', 1, 'R', CODE],
      ['E', 'CRITICAL', 'why', 1, 'D', CODE],
    ])
    expect(rules[1]?.file).toBe(join(own, 'd.yml'))
  })

  test('of a detection in YAML can override title and severities', async () => {
    const root = tree({ 'r.yml': `${SIMPLE}AlertTitle: old\n`, 'd.yml': `${derived}AlertTitle: new\nEnabled: false\n` })
    const { rules } = await loadContent([root])
    expect(rules.find(({ id }) => id === 'D')).toMatchObject({
      enabled: false,
      source: { code: expect.stringMatching(/^\{"Detection":\[.*\],"AlertTitle":"new"\}$/) },
    })
  })

  test('without their base, or derived from each other, do not run and are reported', async () => {
    const root = tree({
      'd.yml': derived.replace(': R', ': Gone'),
      'e.yml': derived.replace('ID: D', 'ID: E').replace(': R', ': F'),
      'f.yml': derived.replace('ID: D', 'ID: F').replace(': R', ': E'),
    })
    const content = await loadContent([root])
    expect([content.rules, content.problems]).toEqual([[], []])
    expect(notices(content, root)).toEqual([
      "d.yml: rule 'D' does not run: there is no rule 'Gone' to derive it from (BaseDetection)",
      "e.yml: rule 'E' does not run: there is no rule 'F' to derive it from (BaseDetection)",
      "f.yml: rule 'F' does not run: there is no rule 'E' to derive it from (BaseDetection)",
    ])
  })
})
