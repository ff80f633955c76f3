import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { Rule } from '../model/rule.ts'
import { packageRoot } from '../util/entry.ts'
import type { Content } from './content.ts'
import { contentRoots, loadContent } from './load.ts'
import { withOverrides } from './overrides.ts'

const made: string[] = []
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'caracal-overrides-'))
  made.push(root)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

const DETECTION = 'Detection:\n  - { Key: a, Condition: Equals, Value: 1 }\n'
const FILTERS = 'InlineFilters:\n  - { Key: user, Condition: Equals, Value: bob }\n'
const BASE = {
  'r.yml': `AnalysisType: rule\nRuleID: Some.Rule\nEnabled: true\nLogTypes: [A.B]\nSeverity: Low\nOutputIds: [mail]\n${FILTERS}${DETECTION}`,
  'd.yml': 'AnalysisType: rule\nRuleID: Some.Derived\nBaseDetection: Some.Rule\n',
  's.yml': `AnalysisType: scheduled_rule\nRuleID: Some.Scheduled\nEnabled: true\nScheduledQueries: [q]\nSeverity: Low\n${DETECTION}`,
  'p.yml': 'AnalysisType: policy\nPolicyID: Some.Policy\nEnabled: true\nFilename: p.py\nSeverity: Low\n',
  'p.py': 'def policy(resource):\n    return True\n',
  'c.yml':
    'AnalysisType: correlation_rule\nRuleID: Some.Correlation\nEnabled: true\nSeverity: Low\n' +
    'Detection:\n  - Group:\n      - { ID: a, RuleID: Some.Rule }\n      - { ID: b, RuleID: Some.Derived }\n',
}

async function load(overrides: string, files: Readonly<Record<string, string>> = BASE) {
  const root = tree({ ...files, 'overrides.yml': overrides })
  const content = withOverrides(await loadContent([root]))
  return { content, reported: reported(content, root) }
}

function reported(content: Content, root: string): string[] {
  return content.problems.map(({ file, line, message }) => `${relative(root, file)}:${line ?? '-'} ${message}`)
}

const find = (rules: readonly Rule[], id: string) => rules.find((rule) => rule.id === id)

describe('overrides', () => {
  test('set every key of a rule, and leave the rest and other rules alone', async () => {
    const { content, reported } = await load(
      'AnalysisType: overrides\nOverrides:\n  - RuleID: Some.Rule\n    Enabled: false\n    Severity: Critical\n    Threshold: 7\n' +
        '    DedupPeriodMinutes: 15\n    OutputIds: [pager]\n    InlineFilters: []\n',
    )
    expect(reported).toEqual([])
    const before = (await loadContent([dirname(content.rules[0]!.file)])).rules
    const { inlineFilter, ...rule } = find(before, 'Some.Rule')!
    expect(inlineFilter).toBeDefined()
    expect(find(content.rules, 'Some.Rule')).toEqual({
      ...rule,
      enabled: false,
      severity: 'CRITICAL',
      threshold: 7,
      dedupPeriodMinutes: 15,
      outputIds: ['pager'],
      inlineFilter: undefined,
    })
    expect(find(content.rules, 'Some.Derived')).toEqual(find(before, 'Some.Derived'))
    expect(content.overrides.map(({ key, line }) => [key, line])).toEqual([
      ['Enabled', 4],
      ['Severity', 5],
      ['Threshold', 6],
      ['DedupPeriodMinutes', 7],
      ['OutputIds', 8],
      ['InlineFilters', 9],
    ])
  })

  test('set an inline filter where the rule has none', async () => {
    const { content } = await load(
      `Overrides:\n  - RuleID: Some.Scheduled\n    ${FILTERS.replaceAll('\n', '\n    ').trimEnd()}\n`,
    )
    expect(content.scheduledRules[0]?.inlineFilter).toMatchObject({ op: 'and' })
  })

  test('name scheduled, derived and correlation rules in one list, and policies by their own key', async () => {
    const { content, reported } = await load(
      'Overrides:\n  - RuleID: [Some.Scheduled, Some.Derived, Some.Correlation]\n    Severity: High\n  - PolicyID: Some.Policy\n    Enabled: false\n',
    )
    expect(reported).toEqual([])
    expect(content.scheduledRules[0]?.severity).toBe('HIGH')
    expect(find(content.rules, 'Some.Derived')?.severity).toBe('HIGH')
    expect(find(content.rules, 'Some.Rule')?.severity).toBe('LOW')
    expect(content.correlationRules[0]?.rule.severity).toBe('HIGH')
    expect(content.policies[0]?.enabled).toBe(false)
  })

  test('of a later root take precedence key by key, and report what they hide', async () => {
    const early = tree({ ...BASE, 'overrides.yml': 'Overrides:\n  - RuleID: Some.Rule\n    Severity: Info\n    Threshold: 3\n' })
    const late = tree({ 'overrides.yaml': 'Overrides:\n  - RuleID: Some.Rule\n    Severity: Critical\n' })
    const content = withOverrides(await loadContent([early, late]))
    expect(find(content.rules, 'Some.Rule')).toMatchObject({ severity: 'CRITICAL', threshold: 3 })
    expect(content.overrides.map(({ key, file }) => [key, file])).toEqual([
      ['Severity', join(late, 'overrides.yaml')],
      ['Threshold', join(early, 'overrides.yml')],
    ])
    expect(content.notices).toContain(
      `Severity of 'Some.Rule' in ${join(early, 'overrides.yml')}:3 is overridden by ${join(late, 'overrides.yaml')}:3`,
    )
  })

  test.each(['', '# nothing\n', 'Overrides:\n', 'Overrides: []\n'])('may be empty: %j', async (text) => {
    const { content, reported } = await load(text)
    expect([reported, content.overrides]).toEqual([[], []])
  })

  test('do not affect content that is loaded for unit tests', async () => {
    const root = tree({ ...BASE, 'overrides.yml': 'Overrides:\n  - RuleID: Some.Rule\n    InlineFilters: []\n' })
    expect(find((await loadContent([root])).rules, 'Some.Rule')?.inlineFilter).toBeDefined()
  })

  const one = (text: string) => `Overrides:\n  - ${text}\n`
  const mistakes = [
    {
      of: one('{ RuleID: Some.Rul, Severity: High }'),
      tells: "2 RuleID: there is no rule 'Some.Rul': did you mean 'Some.Rule'?",
    },
    { of: one('{ PolicyID: Gone, Enabled: true }'), tells: "2 PolicyID: there is no policy 'Gone': correct the id or remove it" },
    { of: one('RuleID: [Some.Rule,\n     Gone]\n    Enabled: true'), tells: "3 RuleID: there is no rule 'Gone'" },
    { of: one('{ RuleID: Some.Policy, Enabled: true }'), tells: "2 RuleID: 'Some.Policy' is a policy: write PolicyID" },
    { of: one('{ PolicyID: Some.Rule, Enabled: true }'), tells: "2 PolicyID: 'Some.Rule' is a rule: write RuleID" },
    {
      of: one('PolicyID: Some.Policy\n    Threshold: 2'),
      tells: "3 Threshold: does not apply to 'Some.Policy', which is a policy: remove it",
    },
    {
      of: one('RuleID: Some.Correlation\n    InlineFilters: []'),
      tells: "3 InlineFilters: does not apply to 'Some.Correlation', which is a correlation rule",
    },
    { of: one('RuleID: Some.Rule\n    Severty: High'), tells: "3 unknown key 'Severty': did you mean 'Severity'?" },
    { of: one('RuleID: Some.Rule\n    Severity: high'), tells: '3 Severity: must be one of' },
    { of: one('RuleID: Some.Rule\n    Threshold: 0'), tells: '3 Threshold: must be at least 1' },
    { of: one(`RuleID: Some.Rule\n    InlineFilters: [{ Key: a, Condition: Eqals, Value: 1 }]`), tells: '3 InlineFilters.0' },
    { of: one('RuleID: Some.Rule'), tells: '2 overrides nothing: add one of Enabled, Severity' },
    { of: one('Enabled: true'), tells: '2 needs either a RuleID or a PolicyID' },
    {
      of: `${one('{ RuleID: Some.Rule, Enabled: true }')}  - { RuleID: Some.Rule, Enabled: false }\n`,
      tells: "3 Enabled of 'Some.Rule' is overridden in line 2 too: remove one",
    },
    { of: 'Overides: []\n', tells: "1 unknown key 'Overides': did you mean 'Overrides'?" },
    { of: 'Overrides: [\n', tells: ' not valid YAML' },
  ]
  test.each(mistakes)('$tells', async ({ of, tells }) => {
    const { content, reported } = await load(of)
    expect(reported.join('\n')).toMatch(/^overrides\.yml:/)
    expect(reported.join('\n')).toContain(tells)
    expect(reported).toHaveLength(1)
    expect(content.rules).toHaveLength(2)
  })

  test.each(['{ RuleID: Gone, Enabled: false }', '{ RuleID: Some.Rule, Threshold: x }'])(
    'count although the entry %s is refused',
    async (entry) => {
      const { content, reported } = await load(`${one(entry)}  - { RuleID: Some.Rule, Enabled: false }\n`)
      expect(reported).toHaveLength(1)
      expect(find(content.rules, 'Some.Rule')?.enabled).toBe(false)
    },
  )

  test.each([
    ['deep/overrides.yml', 'Overrides: []\n'],
    ['other.yml', 'AnalysisType: overrides\nOverrides: []\n'],
  ])('in %s are refused: only the file at the top of a content root counts', async (name, text) => {
    const root = tree({ [name]: text })
    expect(reported(await loadContent([root]), root)).toEqual([
      `${name}:- overrides are read from the top of a content root: move it to ${join(root, 'overrides.yml')}`,
    ])
  })

  test('as docs/content.md shows them are valid with the shipped packs', async () => {
    const page = readFileSync(join(packageRoot(), 'docs/content.md'), 'utf8')
    const [, example] = /```yaml\n(Overrides:\n[^`]*)```/.exec(page)!
    const root = tree({ 'overrides.yml': example! })
    const content = withOverrides(await loadContent([...contentRoots([], tmpdir()), root], { tests: false }))
    expect(reported(content, root)).toEqual([])
    expect(content.overrides.length).toBeGreaterThan(1)
  })
})
