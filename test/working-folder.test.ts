import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { runWith } from './support/cli.ts'

// Where the commands on content look, from the working folder that a user or a script of Panther's tool starts them in.

const home = process.cwd()
const made: string[] = []
afterEach(() => {
  process.chdir(home)
  process.exitCode = 0
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Makes the files and works in their folder. */
function workIn(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'caracal-work-'))
  made.push(root)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  process.chdir(root)
  return root
}

const caracal = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runWith({ XDG_CACHE_HOME: join(tmpdir(), 'caracal-test-cache'), ...env }, argv, 120)

function rule(id: string, name = id): string {
  return `AnalysisType: rule\nRuleID: ${id}\nEnabled: true\nFilename: ${name}.py\nLogTypes: [Zeek.Conn]\nSeverity: Low\nTests:\n  - { Name: t, ExpectedResult: true, Log: {} }\n`
}

/** A rule and its code, as two files of a folder. */
function ruleIn(folder: string, id: string, code = 'def rule(event):\n    return True\n'): Record<string, string> {
  return { [`${folder}/${id}.yml`]: rule(id), [`${folder}/${id}.py`]: code }
}

function global(path: string, code = 'X = True\n'): Record<string, string> {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return { [`${path}.yml`]: `AnalysisType: global\nGlobalID: ${name}\nFilename: ${name}.py\n`, [`${path}.py`]: code }
}

const MODEL =
  'AnalysisType: datamodel\nDataModelID: M\nEnabled: true\nLogTypes: [C.D]\nFilename: m.py\nMappings:\n  - { Name: user, Method: nosuch }\n'
const BROKEN = 'def rule(event):\n    return False\n'
const IMPORTS = 'import common\n\ndef rule(event):\n    return common.X\n'

describe('without --path', () => {
  test('rules of the working folder are tested, and nothing else where there is nothing else', async () => {
    workIn(ruleIn('rules', 'Mine', BROKEN))
    const { code, out } = await caracal(['test'])
    expect(code).toBe(1)
    expect(out).toMatch(/^Mine\n {2}FAIL/)
    expect(out).toMatch(/\n1 detections, 1 tests: 0 passed, 1 failed, 0 errors\n$/)
  })

  test('beside `content` and what the command line names, once each', async () => {
    workIn({
      ...ruleIn('rules', 'Mine', BROKEN),
      ...ruleIn('content', 'Here'),
      ...ruleIn('more', 'Named'),
      'data/lake/x.yml': 'AnalysisType: no content\n',
    })
    const { code, out } = await caracal(['test', '--content', 'more', '--json'])
    expect(code).toBe(1)
    const ids = ['Mine', 'Here', 'Named', 'Tor.SSH.Login']
    expect(ids.filter((id) => out.includes(`"id":"${id}"`))).toEqual(ids)
    expect(out).toContain('"failed":1,"errors":0')
  })

  test('an empty folder is reported, and the shipped packs are tested', async () => {
    const root = workIn({})
    const { code, out, err } = await caracal(['test'])
    expect([code, err]).toEqual([0, `There is no content in ${root}: only the shipped packs are checked.\n`])
    expect(out).toContain('Tor.SSH.Login\n')
  })

  test('validate, benchmark and debug look there too', async () => {
    workIn({ ...ruleIn('rules', 'Mine'), ...ruleIn('rules', 'Bad', 'import nowhere\n') })
    const validated = await caracal(['validate'])
    expect([validated.code, validated.out]).toEqual([1, expect.stringContaining("the code of rule 'Bad' cannot be loaded")])
    expect(validated.out).toContain('2 rules, 0 schemas, 0 tables: 1 problem')
    expect((await caracal(['validate', '--filter', 'RuleID=Mine'])).code).toBe(0)
    expect((await caracal(['validate', '--path', 'rules', '--ignore-files', './rules/Bad.yml'])).code).toBe(0)
    const measured = await caracal(['benchmark', '--iterations', '1', '--filter', 'RuleID=Mine'])
    expect([measured.code, measured.out]).toEqual([0, expect.stringContaining('1 rules, 1 events')])
    expect((await caracal(['debug', 'Mine', 't'])).code).toBe(0)
  })
})

describe('--path', () => {
  test('global_helpers of the working folder count, also where the folder has helpers or data models of its own', async () => {
    workIn({
      ...global('global_helpers/common'),
      ...global('rules/team/global_helpers/near'),
      ...ruleIn('rules/team', 'Team', `import near\n${IMPORTS}`),
      ...ruleIn('rules/other', 'Other', IMPORTS),
      'rules/other/data_models/note.txt': '',
    })
    expect((await caracal(['test', '--path', 'rules/team'])).out).toContain('1 tests: 1 passed, 0 failed, 0 errors')
    expect((await caracal(['test', '--path', 'rules/other'])).out).toContain('1 tests: 1 passed, 0 failed, 0 errors')
  })

  test('a mistake in ./global_helpers is reported', async () => {
    const root = workIn({ ...ruleIn('rules', 'Mine'), 'global_helpers/bad.yml': 'AnalysisType: global\n: : :\n' })
    const { code, out } = await caracal(['test', '--path', 'rules'])
    expect([code, out]).toEqual([1, expect.stringContaining(`ERROR ${join(root, 'global_helpers/bad.yml')}:2: not valid YAML`)])
  })

  test('a data model that does not load is a failure though no rule asks it', async () => {
    const root = workIn({ ...ruleIn('rules', 'Mine'), 'data_models/m.yml': MODEL, 'data_models/m.py': 'X = 1\n' })
    const says = `ERROR ${join(root, 'data_models/m.yml')}: the code of data model 'M' cannot be loaded: `
    for (const path of ['.', 'rules']) {
      const { code, out } = await caracal(['test', '--path', path])
      expect([code, out]).toEqual([1, expect.stringContaining(says)])
      expect(out).toContain('DataModel is missing method named [nosuch]')
      expect(out).toContain('1 passed, 0 failed, 1 errors')
    }
  })

  test('of a repository in Panther’s layout the listed folders only are read, of another one everything', async () => {
    workIn({ ...ruleIn('rules', 'Mine'), ...ruleIn('drafts', 'Mine'), ...ruleIn('samples', 'Draft', BROKEN) })
    expect((await caracal(['test', '--path', '.'])).out).toMatch(/\n1 detections, 1 tests: 1 passed, 0 failed, 0 errors\n$/)
    expect((await caracal(['test', '--path', 'drafts'])).out).toMatch(/\n1 detections, 1 tests: 1 passed, 0 failed, 0 errors\n$/)
    workIn({ ...ruleIn('mine', 'Mine'), ...ruleIn('mine/samples', 'Sample') })
    expect((await caracal(['test', '--path', '.'])).out).toMatch(/\n2 detections, 2 tests: 2 passed, 0 failed, 0 errors\n$/)
  })

  test('what is asked for has its id, whatever lies elsewhere', async () => {
    workIn({ ...global('global_helpers/common'), ...ruleIn('rules/a', 'Same', BROKEN), ...ruleIn('rules/b', 'Same') })
    expect((await caracal(['test', '--path', 'rules/b'])).out).toContain('1 passed, 0 failed, 0 errors')
    expect((await caracal(['test', '--path', 'rules/a'])).out).toContain('0 passed, 1 failed, 0 errors')
  })

  test('a global wins over a module beside the rule', async () => {
    workIn({ ...global('global_helpers/common'), ...ruleIn('rules', 'Mine', IMPORTS), 'rules/common.py': 'X = False\n' })
    expect((await caracal(['test', '--path', '.'])).code).toBe(0)
  })

  test('the path of a data model comes before its method', async () => {
    workIn({
      'rules/Mine.yml': `${rule('Mine').replace('Log: {}', 'Log: { p_log_type: C.D, a: x }')}  - { Name: u, ExpectedResult: true, Log: { p_log_type: C.D, b: y } }\n`,
      'rules/Mine.py': 'def rule(event):\n    return event.udm("user") == (event.get("a") or "method")\n',
      'data_models/m.yml': `${MODEL.replace('nosuch', 'get_user')}  - { Name: user, Path: a }\n`,
      'data_models/m.py': 'def get_user(event):\n    return "method"\n',
    })
    expect((await caracal(['test', '--path', '.'])).out).toContain('2 tests: 2 passed, 0 failed, 0 errors')
  })
})

describe('debug', () => {
  const CORRELATION = `AnalysisType: correlation_rule
RuleID: Both
Enabled: true
Severity: Low
Detection:
  - Sequence:
      - { ID: First, RuleID: Mine }
      - { ID: Second, RuleID: Other }
    LookbackWindowMinutes: 15
    Schedule: { RateMinutes: 10, TimeoutMinutes: 5 }
Tests:
  - Name: one only
    ExpectedResult: false
    RuleOutputs: [{ ID: First }]
`

  test('shows the test of a correlation rule', async () => {
    workIn({ ...ruleIn('rules', 'Mine'), ...ruleIn('rules', 'Other'), 'correlation_rules/c.yml': CORRELATION })
    const { code, out } = await caracal(['debug', 'Both', 'one only'])
    expect([code, out]).toEqual([0, expect.stringContaining('returned\n  rule: false\n')])
    expect(out).toContain('what its rules gave\n  [{"memberId":"First"')
  })

  test('of a rule that cannot be used tells what is wrong with it', async () => {
    const root = workIn({ 'rules/r.yml': `${rule('Mine')}  - [\n`, ...ruleIn('rules', 'Other') })
    const { code, err } = await caracal(['debug', 'Mine', 't'])
    expect(code).toBe(1)
    expect(err).toContain(`${join(root, 'rules/r.yml')}:10: not valid YAML`)
    expect(err).toContain("caracal: rule 'Mine' cannot be used\n")
  })

  test('takes the path of the environment, filters and --ignore-extra-keys', async () => {
    workIn({ 'rules/Mine.yml': `Own: 1\n${rule('Mine')}`, 'rules/Mine.py': 'def rule(event):\n    return True\n' })
    expect((await caracal(['debug', 'Mine', 't', '--ignore-extra-keys'], { PANTHER_PATH: 'rules' })).code).toBe(0)
    expect((await caracal(['debug', 'Mine', 't', '--ignore-extra-keys', '--filter', 'Severity=High'])).err).toContain('no rule')
    expect((await caracal(['debug', 'Mine', 't'], { PANTHER_PATH: 'gone' })).err).toContain("--path 'gone' does not exist")
  })
})

test.each(['test', 'validate', 'benchmark'])('%s: a filter that cannot be read ends it with 1', async (command) => {
  workIn(ruleIn('rules', 'Mine'))
  expect(await caracal([command, '--filter', 'Foo=bar'])).toMatchObject({ code: 1, err: expect.stringContaining('unknown key') })
})
