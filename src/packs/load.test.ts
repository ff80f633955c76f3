import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { packageRoot } from '../util/entry.ts'
import { compileFiles } from './compile.ts'
import type { Content } from './content.ts'
import { contentRoots, loadContent } from './load.ts'

const made: string[] = []
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'caracal-content-'))
  made.push(root)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

function rule(id: string, more = ''): string {
  return `AnalysisType: rule\nRuleID: ${id}\nEnabled: true\nFilename: code.py\nLogTypes: [Zeek.Conn]\nSeverity: High\n${more}`
}

const TABLE = 'LookupName: t\nFilename: t.csv\nLogTypeMap: { PrimaryKey: k }\n'
const SCHEMA = 'schema: Custom.Sx\nfields: [{ name: a, type: string }]\n'
const POLICY = 'AnalysisType: policy\nPolicyID: P\nEnabled: true\nFilename: code.py\nSeverity: Low\n'
const CODE = 'def rule(event):\n    return True\n'

function reported(content: Content, root: string): string[] {
  return content.problems.map(({ file, line, message }) => `${relative(root, file)}:${line ?? '-'} ${message}`)
}

describe('one root', () => {
  test('a rule carries its metadata, its code and its defaults', async () => {
    const root = tree({
      'any/r.yml': rule('A.Rule', 'Reports:\n  CIS: [3.10, 2]\n  "MITRE ATT&CK": ["TA0001:T1"]\nTags: [a, b]\n'),
      'any/code.py': CODE,
    })
    const { rules, problems, notices } = await loadContent([root])
    expect([problems, notices]).toEqual([[], []])
    expect(rules).toEqual([
      {
        kind: 'rule',
        id: 'A.Rule',
        displayName: undefined,
        enabled: true,
        logTypes: ['Zeek.Conn'],
        severity: 'HIGH',
        description: '',
        reference: '',
        runbook: '',
        tags: ['a', 'b'],
        reports: { CIS: ['3.10', '2'], 'MITRE ATT&CK': ['TA0001:T1'] },
        dedupPeriodMinutes: 60,
        threshold: 1,
        summaryAttributes: [],
        outputIds: [],
        createAlert: true,
        tests: [],
        file: join(root, 'any/r.yml'),
        source: { language: 'python', file: join(root, 'any/code.py'), code: CODE },
      },
    ])
  })

  test('modules next to a rule belong to its folder, globals to the root, and an item’s own code is neither', async () => {
    const root = tree({
      'rules/r.yml': rule('A'),
      'rules/code.py': CODE,
      'rules/near.py': 'NEAR = 1\n',
      'rules/not-a-module.py': '',
      'rules/policy.yml': POLICY.replace('code.py', 'policy.py'),
      'rules/policy.py': '',
      'elsewhere/far.py': 'FAR = 1\n',
      'helpers/g.yaml': 'AnalysisType: global\nGlobalID: g_helpers\nFilename: other_name.py\n',
      'helpers/other_name.py': 'G = 1\n',
    })
    const { helpers, problems } = await loadContent([root])
    expect(problems).toEqual([])
    expect(helpers).toEqual([
      {
        name: 'g_helpers',
        file: join(root, 'helpers/other_name.py'),
        definition: join(root, 'helpers/g.yaml'),
        code: 'G = 1\n',
        folder: undefined,
        root,
      },
      { name: 'near', file: join(root, 'rules/near.py'), code: 'NEAR = 1\n', folder: join(root, 'rules'), root },
    ])
  })

  test('kinds are determined by keys; tables and schemas are passed on as documents', async () => {
    const root = tree({
      'rules/table.yml': `AnalysisType: lookup_table\n${TABLE}`,
      'tables/schema.yml': 'schema: Custom.Sx\nfields: [{ name: a, type: string }]\n',
      'x/pack.yml': 'AnalysisType: pack\nPackID: P\nPackDefinition: { IDs: [t, Custom.Sx] }\n',
    })
    const content = await loadContent([root])
    expect(content.problems).toEqual([])
    expect(content.tables).toEqual([
      {
        name: 't',
        file: join(root, 'rules/table.yml'),
        root,
        document: { AnalysisType: 'lookup_table', LookupName: 't', Filename: 't.csv', LogTypeMap: { PrimaryKey: 'k' } },
      },
    ])
    expect(content.schemas).toEqual([
      {
        name: 'Custom.Sx',
        file: join(root, 'tables/schema.yml'),
        root,
        document: { schema: 'Custom.Sx', fields: [{ name: 'a', type: 'string' }] },
      },
    ])
  })

  test('other YAML, samples and tool folders are skipped silently', async () => {
    const bad = 'AnalysisType: rule\n: : :'
    const root = tree({
      'ci.yml': 'on: push\njobs: {}\n',
      'template.yml': 'a: {{ not yaml }}\n# about schema: nothing\n',
      'openapi.yml': 'paths:\n  x:\n    schema: {}\n',
      'empty.yml': '',
      'list.yml': '- AnalysisType\n',
      '.hidden/r.yml': bad,
      'acme/pack.yml': 'AnalysisType: pack\nPackID: P\n',
      'acme/samples/r.yml': bad,
      'node_modules/r.yml': bad,
      '__pycache__/r.yml': bad,
    })
    const { packs, ...others } = await loadContent([root])
    expect(packs.map(({ id }) => id)).toEqual(['P'])
    expect(Object.values(others).flat()).toEqual([])
  })

  test('samples outside of packs are read', async () => {
    const root = tree({ 'rules/samples/r.yml': rule('A'), 'rules/samples/code.py': CODE })
    expect((await loadContent([root])).rules.map(({ id }) => id)).toEqual(['A'])
  })

  test('a global takes precedence over a module with the same name next to a rule, and that is reported', async () => {
    const root = tree({
      'rules/r.yml': rule('A'),
      'rules/code.py': CODE,
      'rules/common.py': 'NEAR = 1\n',
      'global_helpers/common.yml': 'AnalysisType: global\nGlobalID: common\nFilename: shared.py\n',
      'global_helpers/shared.py': 'FAR = 1\n',
    })
    const { helpers, notices } = await loadContent([root])
    expect(helpers.map(({ name, code }) => [name, code])).toEqual([['common', 'FAR = 1\n']])
    expect(notices).toEqual([
      `${join(root, 'rules/common.py')}: not importable because the global 'common' has the same name: rename one`,
    ])
  })

  test('a data model may map a name by a path and by a method', async () => {
    const root = tree({
      'm.yml':
        'AnalysisType: datamodel\nDataModelID: M\nEnabled: true\nLogTypes: [A.B]\nFilename: m.py\nMappings:\n  - { Name: user, Path: a.b }\n  - { Name: user, Method: get_user }\n',
      'm.py': 'def get_user(event):\n    return 1\n',
    })
    const { dataModels, problems } = await loadContent([root])
    expect(problems).toEqual([])
    expect(dataModels[0]?.mappings).toEqual([
      { name: 'user', path: 'a.b' },
      { name: 'user', method: 'get_user' },
    ])
  })

  test('links are followed once, so a loop ends', async () => {
    const root = tree({ 'real/r.yml': rule('A'), 'real/code.py': CODE })
    symlinkSync(root, join(root, 'real/loop'))
    symlinkSync(join(root, 'nowhere'), join(root, 'dangling.yml'))
    const content = await loadContent([root])
    expect([content.rules.length, content.problems]).toEqual([1, []])
  })

  test('an inline filter that filters nothing is accepted', async () => {
    const root = tree({ 'r.yml': rule('A', 'InlineFilters:\n  - All: []\n'), 'code.py': CODE })
    const { rules, notices } = await loadContent([root])
    expect([rules.length, notices]).toEqual([1, []])
  })

  test('examples to copy from, directly below the root, are skipped, and so are files to ignore', async () => {
    const root = tree({
      'templates/r.yml': 'AnalysisType: rule\n',
      'rules/templates/r.yml': rule('A'),
      'rules/templates/code.py': CODE,
      'bad.yml': 'AnalysisType: rule\n',
      'x/other.yml': 'AnalysisType: rule\n',
      'x/third.yml': 'AnalysisType: rule\n',
    })
    const { rules, problems } = await loadContent([root], { ignore: ['bad.yml', 'x/other.yml', './x/third.yml'] })
    expect([rules.map(({ id }) => id), problems]).toEqual([['A'], []])
  })
})

describe('problems are reported with file, line and advice, and the rest loads', () => {
  const mistakes = [
    { of: rule('A', 'Sevrity: High\n'), tells: "7 unknown key 'Sevrity': did you mean 'Severity'?" },
    { of: rule('A', 'Zzzzzzzzz: 1\n'), tells: "7 unknown key 'Zzzzzzzzz': remove it" },
    {
      of: rule('A').replace('High', 'high'),
      tells: '6 Severity: must be one of Info, Low, Medium, High, Critical (is "high"): did you mean \'High\'?',
    },
    { of: rule('A').replace('Enabled: true\n', ''), tells: '1 Enabled: is missing: add it' },
    {
      of: rule('A').replace('code.py', 'none.py'),
      tells: "- Filename: 'none.py' cannot be read: there is no such file or folder",
    },
    { of: rule('A').replace('code.py', '../code.py'), tells: "- Filename: '../code.py' is outside the content root" },
    ...['../t.csv', '/etc/passwd'].map((name) => ({
      of: `AnalysisType: lookup_table\n${TABLE.replace('t.csv', name)}`,
      tells: `- Filename: '${name}' is outside the content root`,
    })),
    { of: rule('A').replace('code.py', 'code.rb'), tells: "4 Filename: no language runs 'code.rb'. Known: .py" },
    { of: rule('"A<b>"'), tells: '2 RuleID: must not contain any of < > & " % (is "A<b>")' },
    { of: rule('A', 'Threshold: 0\n'), tells: '7 Threshold: must be at least 1' },
    { of: rule('A', 'Tags: [x, x]\n'), tells: "7 Tags.1: 'x' is listed twice: remove one" },
    {
      of: rule('A', 'Tests:\n  - Name: t\n    ExpectedResult: 1\n    Log: {}\n'),
      tells: '9 Tests.0.ExpectedResult: must be true or false',
    },
    {
      of: rule('A', 'Tests:\n  - Name: t\n    ExpectedResult: true\n    Log: {}\n    Lgo: 1\n'),
      tells: "11 unknown key 'Tests.0.Lgo': did you mean 'Log'?",
    },
    {
      of: rule('A', 'Tests:\n  - Name: t\n    ExpectedResult: true\n    Log:\n      a: 1\nStatus: .nan\n'),
      tells: '12 .nan has no JSON form',
    },
    { of: 'AnalysisType: rule\nRuleID: [\n', tells: '3 not valid YAML:' },
    { of: `${rule('A')}Severity: Low\n`, tells: '7 not valid YAML: Map keys must be unique' },
    { of: 'AnalysisType: ruel\n', tells: "1 AnalysisType 'ruel' is unknown. Known: rule, scheduled_rule, policy" },
    {
      of: 'AnalysisType: pack\nPackID: P\nPackDefinition: { IDs: [Gone] }\n',
      tells: "- PackDefinition: there is no item 'Gone'",
    },
    { of: `AnalysisType: lookup_table\n${TABLE}Formt: csv\n`, tells: "5 unknown key 'Formt': did you mean 'Format'?" },
    {
      of: `AnalysisType: lookup_table\n${TABLE}`.replace('k }', "'' }"),
      tells: '4 LogTypeMap.PrimaryKey: must have at least one character',
    },
    { of: SCHEMA.replace('string', 'strng'), tells: '2 fields.a.type: unknown type "strng"' },
    { of: SCHEMA.replace(']', ', { name: a, type: int }]'), tells: "2 fields.a: field 'a' is there twice" },
    { of: `AnalysisType: rule\nTags: ${'['.repeat(20_000)}\n`, tells: '2 not usable YAML: it is nested too deeply' },
    { of: 'AnalysisType: global\nGlobalID: a-b\nFilename: code.py\n', tells: '2 GlobalID: must be a Python module name' },
  ]
  test.each(mistakes)('$tells', async ({ of, tells }) => {
    const root = tree({ 'r.yml': of, 'code.py': CODE, 'good/r.yml': rule('Good'), 'good/code.py': CODE })
    const content = await loadContent([root])
    const [first, ...others] = reported(content, root)
    expect(first).toContain(`r.yml:${tells}`)
    expect(others).toEqual([])
    expect(content.rules.map(({ id }) => id)).toEqual(['Good'])
  })

  test('an id used twice in a root, even by different kinds, is a problem of the second file', async () => {
    const root = tree({
      'a.yml': rule('Same'),
      'b.yml': `AnalysisType: lookup_table\n${TABLE.replace(': t', ': Same')}`,
      'c.yml': POLICY.replace(': P', ': Same'),
      'code.py': CODE,
    })
    const content = await loadContent([root])
    expect(content.rules.length + content.tables.length).toBe(1)
    expect(reported(content, root)).toEqual([
      "b.yml:- the id 'Same' is already used by a.yml: give one of them a different id",
      "c.yml:- the id 'Same' is already used by a.yml: give one of them a different id",
    ])
  })

  test('an alias without an anchor is a problem of its line', async () => {
    const root = tree({
      'r.yml': rule('A', 'Tests:\n  - Name: a\n    ExpectedResult: true\n    Log: { a: *nope, b: 1 }\n'),
      'code.py': CODE,
    })
    expect(reported(await loadContent([root]), root)).toEqual([
      "r.yml:10 '*nope' refers to nothing: there is no '&nope' before it",
    ])
  })

  test.each([true, false])('an anchor of a test can be used after the tests, tests: %s', async (tests) => {
    const root = tree({
      'r.yml': rule('A', 'Tests:\n  - { Name: &name a b, ExpectedResult: true, Log: {} }\nDescription: *name\n'),
      'code.py': CODE,
    })
    const { rules, problems } = await loadContent([root], { tests })
    expect(problems).toEqual([])
    expect(rules.map(({ description, tests }) => [description, tests.length])).toEqual([['a b', tests ? 1 : 0]])
  })

  test('a byte order mark at the beginning of a file is not part of its text', async () => {
    const root = tree({
      'r.yml': `\uFEFF${rule('A')}`,
      'code.py': `\uFEFF${CODE}`,
      'near.py': '\uFEFFNEAR = "\uFEFF"\n',
      'g.yml': '\uFEFFTests: []\nAnalysisType: global\nGlobalID: g\nFilename: g.py\n',
      'g.py': '\uFEFF',
    })
    const { rules, helpers, problems } = await loadContent([root])
    expect(problems).toEqual([])
    expect(rules.map(({ source }) => source.code)).toEqual([CODE])
    expect(helpers.map(({ name, code }) => [name, code])).toEqual([
      ['g', ''],
      ['near', 'NEAR = "\uFEFF"\n'],
    ])
  })

  test('a root that does not exist, a file that is not UTF-8 and one that is too long are problems', async () => {
    const root = tree({ 'r.yml': rule('A'), 'long.yml': `schema: X\n${'#'.repeat(9 * 1024 * 1024)}` })
    writeFileSync(join(root, 'code.py'), Buffer.from([0xff, 0xfe, 0x00]))
    expect(reported(await loadContent([root]), root)).toEqual([
      expect.stringMatching(/^long\.yml:- cannot be read: it is \d+ bytes long/),
      "r.yml:- Filename: 'code.py' cannot be read: it is not UTF-8 text: save it as UTF-8",
    ])
    expect((await loadContent([join(root, 'gone')])).problems[0]?.message).toContain(
      'the content folder cannot be read: there is no such file or folder',
    )
  })
})

describe('several roots', () => {
  test('a table that this release cannot fill hides nothing', async () => {
    const shipped = tree({ 't.yml': `AnalysisType: lookup_table\n${TABLE}` })
    const own = tree({
      't.yml':
        'AnalysisType: lookup_table\nLookupName: t\nEnabled: true\nRefresh: { GCSCredentials: x, ObjectPath: "gs://b/k" }\n',
    })
    const content = await loadContent([shipped, own])
    expect(content.problems).toEqual([])
    expect(content.tables.map(({ file }) => file)).toEqual([join(shipped, 't.yml')])
    expect(content.notices).toEqual([
      expect.stringContaining(
        `${join(own, 't.yml')}: not supported yet: table 't': tables refreshed from a bucket (Refresh.GCSCredentials)`,
      ),
    ])
  })

  test('an extension does not hide its table, with or without a name, and several extend one table', async () => {
    const shipped = tree({ 't.yml': `AnalysisType: lookup_table\n${TABLE}` })
    const extension = (selector: string) =>
      `AnalysisType: lookup_table\nExtends: t\nLogTypeMap:\n  AssociatedLogTypes:\n    - { LogType: Custom.Vpn, Selectors: [${selector}] }\n`
    const own = tree({
      'a.yml': extension('a'),
      'b/a.yml': extension('b'),
      'c.yml': `${extension('c')}LookupName: t\n`,
      'd.yml': `${extension('d')}LookupName: d\nEnabled: false\n`,
    })
    const content = await loadContent([shipped, own])
    expect([content.problems, content.notices]).toEqual([[], []])
    const { tables, problems } = compileFiles(content)
    expect(problems).toEqual([])
    expect([...tables.keys()]).toEqual(['t'])
    const { definition } = tables.get('t')!
    expect([definition.file, definition.associations]).toEqual([join(shipped, 't.yml'), []])
    expect(definition.added.map(({ selectors, file }) => [selectors, relative(own, file)])).toEqual([
      [['a'], 'a.yml'],
      [['b'], 'b/a.yml'],
      [['c'], 'c.yml'],
    ])
  })

  test('a later root hides the same id of the same kind, says so, and comes first', async () => {
    const shipped = tree({ 'r.yml': rule('A'), 's.yml': rule('B'), 'x.yml': SCHEMA, 'code.py': '# shipped\n' })
    const own = tree({
      'r.yml': rule('A'),
      't.yml': `AnalysisType: lookup_table\n${TABLE.replace(': t', ': B')}`,
      'x.yml': SCHEMA,
      'code.py': '# own\n',
    })
    const content = await loadContent([shipped, own])
    expect(content.problems).toEqual([])
    expect(content.rules.map(({ id, source }) => [id, source.code])).toEqual([
      ['A', '# own\n'],
      ['B', '# shipped\n'],
    ])
    expect(content.notices).toEqual([
      `rule 'A' in ${join(shipped, 'r.yml')} is overridden by ${join(own, 'r.yml')}`,
      `schema 'Custom.Sx' in ${join(shipped, 'x.yml')} is overridden by ${join(own, 'x.yml')}`,
    ])
  })

  test('helpers of the same name stay with their roots', async () => {
    const global = 'AnalysisType: global\nGlobalID: h\nFilename: h.py\n'
    const roots = [tree({ 'h.yml': global, 'h.py': '1' }), tree({ 'h.yml': global, 'h.py': '2' })]
    const { helpers, notices } = await loadContent(roots)
    expect(helpers.map(({ root, code }) => [root, code])).toEqual([
      [roots[1], '2'],
      [roots[0], '1'],
    ])
    expect(notices).toEqual([])
  })

  test('the shipped packs come first, then content in the working folder, then requested folders', () => {
    const work = tree({ 'content/x.yml': '', 'more/x.yml': '' })
    const packs = join(packageRoot(), 'packs')
    expect(contentRoots(['more'], work)).toEqual([packs, join(work, 'content'), join(work, 'more')])
    expect(contentRoots([packs, 'more', 'content'], work)).toEqual([packs, join(work, 'more'), join(work, 'content')])
    expect(contentRoots([], join(work, 'more'))).toEqual([packs])
  })
})
