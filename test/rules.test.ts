import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { packageRoot } from '../src/util/entry.ts'
import { runWith } from './support/cli.ts'

// The rules' own unit tests, through the actual command and the real sandboxed Python.

const made: string[] = []
afterEach(() => {
  process.exitCode = 0
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function content(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'caracal-rules-'))
  made.push(root)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

const caracal = (...argv: readonly string[]) => runWith({ XDG_CACHE_HOME: join(tmpdir(), 'caracal-test-cache') }, argv, 120)

interface Line {
  readonly id?: string
  readonly test?: string
  readonly passed?: boolean
  readonly out?: Readonly<Record<string, unknown>>
  readonly errors?: Readonly<Record<string, string>>
  readonly error?: string
  readonly line?: number | null
  readonly summary?: Readonly<Record<string, number>>
}

function lines(out: string): Line[] {
  return out
    .trimEnd()
    .split('\n')
    .map((line): Line => JSON.parse(line))
}

const HEAD = 'AnalysisType: rule\nEnabled: true\nFilename: r.py\nLogTypes: [Custom.Xy]\nSeverity: Low\n'

describe('caracal test', () => {
  test('every shipped rule passes its tests, and has tests for both results', async () => {
    const { code, out } = await caracal('test', '--path', join(packageRoot(), 'packs'), '--minimum-tests', '2', '--json')
    const all = lines(out)
    expect(all.filter((line) => line.passed === false || line.error)).toEqual([])
    expect(code).toBe(0)
    expect(new Set(all.flatMap(({ id }) => id ?? []))).toEqual(
      new Set([
        'GreyNoise.SSH.Connection',
        'GreyNoise.SSH.Login',
        'Host.FirstSudo',
        'Host.NewAccount',
        'Host.NewUnit',
        'Host.RootLogin',
        'Host.UnitFails',
        'Linux.NewAdministrator',
        'Linux.NewKernelModule',
        'Netstat.UnexpectedPort',
        'SSH.BruteForce',
        'SSH.LoginAfterFailures',
        'SSH.NewCountry',
        'SSH.PasswordSpraying',
        'Scan.Ports',
        'Tor.SSH.Connection',
        'Tor.SSH.Login',
        'Web.PathScan',
        'Web.SecretProbed',
        'Web.SecretServed',
        'Web.Shell',
      ]),
    )
  })

  test('an alert of the Tor rule says who, why and where to look further', async () => {
    const { out } = await caracal('test', '--path', join(packageRoot(), 'packs'), '--filter', 'RuleID=Tor.SSH.Login', '--json')
    const first = lines(out)[0]!
    expect(first.test).toBe('a login succeeds from an exit node')
    expect(first.out).toMatchObject({
      detection: true,
      title: 'SSH Connection Established from TOR Exit Node (185.220.101.34)',
      dedup: '185.220.101.34',
      alert_context: {
        table: 'tor_exit_nodes',
        table_version: '2024-03-12-0a1b2c3d4e5f',
        exonerator_url: 'https://metrics.torproject.org/exonerator.html?ip=185.220.101.34&timestamp=2024-03-12&lang=en',
        connection: { uid: 'CHhAvVGS1DHFjwGM9', id_orig_p: 41022, id_resp_p: 22 },
      },
    })
  })

  test('rules that import a neighbouring module and shipped helpers run unchanged', async () => {
    const { code, out } = await caracal('test', '--path', join(packageRoot(), 'test/content/rules/zeek'))
    expect(out).toContain('2 detections, 6 tests: 6 passed, 0 failed, 0 errors\n')
    expect(code).toBe(0)
  })

  test('a failing test shows the difference and the error, and the exit code is 1', async () => {
    const path = content({
      'r.yml': `${HEAD}RuleID: R\nTests:\n  - { Name: a, ExpectedResult: true, Log: { n: 1 } }\n  - { Name: b, ExpectedResult: false, Log: {} }\n`,
      'r.py': 'def rule(event):\n    print("looking")\n    return event["n"] == 2\n',
    })
    const { code, out } = await caracal('test', '--path', path)
    expect(code).toBe(1)
    expect(out).toContain('FAIL  a\n        - expected  rule: true\n        + actual    rule: false\n        printed: looking\n')
    expect(out).toMatch(/FAIL {2}b\n.*\n.*\n {8}rule failed: .*KeyError/)
    expect(out).toContain('1 detections, 2 tests: 0 passed, 2 failed, 0 errors\n')
  })

  test('exact numbers reach the rule with the types in the YAML', async () => {
    const path = content({
      'r.yml': `${HEAD}RuleID: R\nTests:\n  - Name: a\n    ExpectedResult: true\n    Log: { big: 12345678901234567890, float: 1.666275403e+12 }\n`,
      'r.py': "def rule(event):\n    return True\n\ndef title(event):\n    return f\"{event['big']} {event['float']}\"\n",
    })
    const { out } = await caracal('test', '--path', path, '--json')
    expect(lines(out)[0]?.out?.['title']).toBe('12345678901234567890 1666275403000.0')
  })

  test('a rule that does not load and a file that cannot be used are errors', async () => {
    const path = content({
      'r.yml': `${HEAD}RuleID: R\n`,
      'r.py': 'def rule(event)\n',
      'bad.yml': 'AnalysisType: rule\nRuleID: B\n',
    })
    const { code, out } = await caracal('test', '--path', path, '--json')
    const all = lines(out)
    expect(code).toBe(1)
    expect(all[0]).toEqual({ id: 'R', error: expect.stringContaining('SyntaxError') })
    expect(all.filter(({ error }) => error?.includes('is missing: add it')).map(({ line }) => line)).toEqual([1, 1, 1])
    expect(all.at(-1)?.summary).toEqual({ detections: 1, tests: 0, passed: 0, failed: 0, errors: 4 })
  })

  test('options of the other tool that have no meaning here are accepted, and one line says so', async () => {
    const argv = ['--workers', '4', '--api-token', 'x', '--valid-table-names', 'a.*', '--valid-table-names', 'b']
    const { code, out, err } = await caracal('test', '--path', join(packageRoot(), 'test/content/rules/zeek'), ...argv)
    expect(err.split('\n')).toContain('Without effect here: --valid-table-names, --workers, --api-token.')
    expect(out).toContain('6 passed, 0 failed')
    expect(code).toBe(0)
  })

  test.each([
    { argv: [], code: 1, says: 'r.yml:6: unknown key' },
    { argv: ['--ignore-extra-keys'], code: 0, says: '1 passed, 0 failed, 0 errors' },
    { argv: ['--ignore-extra-keys', '--no-ignore-extra-keys'], code: 1, says: 'r.yml:6: unknown key' },
  ])('a rule with a key that is not known, $argv: exit code $code', async ({ argv, code, says }) => {
    const path = content({
      'r.yml': `${HEAD}Own: 1\nRuleID: R\nTests:\n  - { Name: a, ExpectedResult: true, Log: {} }\n`,
      'r.py': 'def rule(event):\n    return True\n',
    })
    const result = await caracal('test', '--path', path, ...argv)
    expect(result.out).toContain(says)
    expect(result.code).toBe(code)
  })

  const GOOD = {
    'rules/r.yml': `${HEAD}RuleID: R\nTests:\n  - { Name: a, ExpectedResult: true, Log: {} }\n`,
    'rules/r.py': 'def rule(event):\n    return True\n',
  }
  const pack = (definition: string) => ({ 'packs/p.yml': `AnalysisType: pack\nPackID: P\n${definition}\n`, ...GOOD })
  test.each([
    {
      name: 'a folder of queries',
      files: {
        'q.yml':
          'AnalysisType: scheduled_query\nQueryName: Q\nEnabled: true\nQuery: select 1\nSchedule: { RateMinutes: 60, TimeoutMinutes: 2 }\n',
      },
      code: 0,
    },
    { name: 'a folder of nothing', files: { 'x.txt': '' }, code: 1 },
    { name: 'a pack that names what exists', files: pack('PackDefinition: { IDs: [R] }'), code: 0 },
    { name: 'a pack that names what does not exist', files: pack('PackDefinition: { IDs: [Gone] }'), code: 1 },
    { name: 'a pack with an empty list', files: pack('PackDefinition: { IDs: [] }'), code: 0 },
    { name: 'a pack that names nothing', files: pack(''), code: 1 },
  ])("$name: exit code $code, as Panther's tool has it", async ({ files, code }) => {
    expect((await caracal('test', '--path', content(files))).code).toBe(code)
  })

  test('a filter that leaves only items without tests is not an error', async () => {
    const { code, out } = await caracal('test', '--path', join(packageRoot(), 'packs'), '--filter', 'GlobalID=x')
    expect(out).toBe('0 detections, 0 tests: 0 passed, 0 failed, 0 errors\n')
    expect(code).toBe(0)
  })

  test.each([
    { argv: ['--filter', 'Nope=1'], code: 1, says: 'unknown key' },
    { argv: ['--path', '/nowhere/at/all'], code: 2, says: 'does not exist' },
    { argv: ['--minimum-tests', 'x'], code: 2, says: 'must be an integer' },
    { argv: ['--filter', 'RuleID=Nobody'], code: 1, says: 'nothing to test' },
  ])('$argv: exit code $code', async ({ argv, code, says }) => {
    const result = await caracal('test', ...argv)
    expect(result.err).toContain(says)
    expect(result.code).toBe(code)
  })
})

describe('caracal validate', () => {
  test('the shipped content has no problems', async () => {
    const { code, out } = await caracal('validate', '--json')
    expect(lines(out).filter(({ error }) => error)).toEqual([])
    expect(code).toBe(0)
  })

  test('problems are listed with file and line, notices too, and the exit code is 1', async () => {
    const path = content({
      'r.yml': `${HEAD}RuleID: R\nSevrity: Low\n`,
      's.yml': `${HEAD.replace('r.py', 's.py')}RuleID: S\n`,
      's.py': 'import no_such_module\n',
      'p.yml': 'AnalysisType: scheduled_prompt\nPromptName: P\n',
    })
    const { code, out } = await caracal('validate', '--content', path)
    expect(code).toBe(1)
    expect(out).toContain(`notice ${join(path, 'p.yml')}: scheduled_prompt 'P' is accepted and ignored`)
    expect(out).toContain(`ERROR  ${join(path, 'r.yml')}:7: unknown key 'Sevrity': did you mean 'Severity'?`)
    expect(out).toMatch(/ERROR {2}.*s\.yml: the code of rule 'S' cannot be loaded: .*no_such_module/)
  })
})
