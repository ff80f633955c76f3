import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { runWith } from './support/cli.ts'

// Each run starts a child process.
vi.setConfig({ testTimeout: 120_000 })

const top = mkdtempSync(join(tmpdir(), 'caracal-tests-'))
afterAll(() => {
  process.exitCode = 0
  rmSync(top, { recursive: true, force: true })
})

/** What is written to either stream. */
async function caracal(...argv: readonly string[]): Promise<{ out: string; code: number }> {
  const { out, err, code } = await runWith({ XDG_CACHE_HOME: join(top, 'cache'), CARACAL_DATA_DIR: join(top, 'data') }, argv)
  return { out: out + err, code }
}

const RULE = 'AnalysisType: rule\nEnabled: true\nSeverity: High\nLogTypes: [Custom.Login]\n'
const TESTS = `Tests:
  - Name: an admin
    ExpectedResult: true
    Tables: { users: [{ name: ann, role: admin }] }
    Log: { user: ann }
  - Name: a guest, by a file
    ExpectedResult: false
    Tables: { users: users-2024-04-19.csv }
    Log: { user: ann }
`
const CONTENT = {
  // The network is never touched.
  'users.yml':
    'AnalysisType: lookup_table\nLookupName: users\nProvider: { type: url, url: "https://tables.invalid/users.csv" }\nLogTypeMap:\n  PrimaryKey: name\n  AssociatedLogTypes:\n    - { LogType: Custom.Login, Selectors: [user] }\n',
  'users-2024-04-19.csv': 'name,role\nann,guest\n',
  'looks.yml': `${RULE}RuleID: Looks\nFilename: looks.py\n${TESTS}  - Name: a mocked table as before
    ExpectedResult: true
    Log: { user: ann, _mocked_lookup_data_: { users: { ann: { role: admin } } } }
  - Name: another table
    ExpectedResult: true
    Tables: { usrs: [{ name: ann, role: admin }] }
    Log: { user: ann }
`,
  'looks.py':
    'def rule(event):\n    row = event.lookup("users", event.get("user"))\n    return row is not None and row.get("role") == "admin"\n',
  'joined.yml': `${RULE}RuleID: Joined\nDetection:\n  - { Enrichment: { Table: users, Selector: user, FieldPath: role }, Condition: Equals, Value: admin }\n${TESTS}`,
}

let made = 0
function folderOf(content: Readonly<Record<string, string>>): string {
  const folder = join(top, `content-${made++}`)
  mkdirSync(folder)
  for (const [name, text] of Object.entries(content)) writeFileSync(join(folder, name), text)
  return folder
}

test('tests pin tables for rules of any language, and say which table they cannot use', async () => {
  const { out, code } = await caracal('test', '--path', folderOf(CONTENT), '--json')
  const lines = out
    .trim()
    .split('\n')
    .map((line): Record<string, unknown> => JSON.parse(line))
  const results = lines.filter((line) => 'test' in line).map(({ id, test: name, passed }) => [id, name, passed])
  expect(results.sort()).toEqual([
    ['Joined', 'a guest, by a file', true],
    ['Joined', 'an admin', true],
    ['Looks', 'a guest, by a file', true],
    ['Looks', 'a mocked table as before', true],
    ['Looks', 'an admin', true],
    ['Looks', 'another table', false],
  ])
  expect(out).toContain("Tables: there is no table 'usrs': did you mean 'users'?")
  expect(code).toBe(1)
})

test('debug shows the event with its joined rows', async () => {
  const { out } = await caracal('debug', 'Looks', 'an admin', '--path', folderOf(CONTENT))
  expect(out).toMatch(/p_enrichment.*users.*role.*admin/s)
})

const UNFILLED = `${RULE}RuleID: Filled
Detection:
  - { Enrichment: { Table: users, Selector: user, FieldPath: role }, Condition: Equals, Value: admin }
# All of them
Tests:
  - Name: an admin
    ExpectedResult: true
    Log:
      user: ann # her
  - Name: a guest
    ExpectedResult: false
    Log: { "user": "bob", "p_enrichment": { "hosts": {} } }
  - Name: a pinned table
    ExpectedResult: true
    Tables: { users: [{ name: ann, role: admin }] }
    Log: { user: ann }
  - Name: nobody
    ExpectedResult: false
    Log: { user: eve }
`

test('enrich-test-data writes rows into the tests, keeps the rest of the file, and has nothing to do the next time', async () => {
  const folder = folderOf({
    'users.yml': CONTENT['users.yml'],
    'filled.yml': UNFILLED,
    'users.csv': 'name,role\nann,admin\nbob,guest\n',
  })
  const file = join(folder, 'filled.yml')
  const enrich = (...more: readonly string[]) =>
    caracal('enrich-test-data', folder, '--table', `users=${join(folder, 'users.csv')}`, ...more)
  const asked = await enrich('--check')
  expect([asked.code, readFileSync(file, 'utf8')]).toEqual([1, UNFILLED])
  expect(asked.out).toContain("filled.yml: 'an admin', 'a guest'\nwould enrich 2 tests in 1 file")
  expect((await caracal('test', '--path', folder)).code).toBe(1)

  expect((await enrich()).code).toBe(0)
  const filled = UNFILLED.replace(
    'user: ann # her\n',
    'user: ann # her\n      p_enrichment:\n        users:\n          user:\n            name: ann\n            role: admin\n            p_match: ann\n',
  ).replace('{ "hosts": {} }', '{"hosts":{},"users":{"user":{"name":"bob","role":"guest","p_match":"bob"}}}')
  expect(readFileSync(file, 'utf8')).toBe(filled)
  expect((await caracal('test', '--path', folder)).code).toBe(0)
  expect(await enrich('--check')).toMatchObject({ code: 0, out: 'would enrich 0 tests in 0 files\n' })
})

test('enrich-test-data says what it cannot enrich', async () => {
  const alias = UNFILLED.replace(
    '    Log:\n      user: ann # her',
    '    Log: &ann { user: ann }\n  - Name: again\n    ExpectedResult: true\n    Log: *ann',
  )
  const folder = folderOf({ 'users.yml': CONTENT['users.yml'], 'filled.yml': alias, 'users.csv': 'name,role\nann,admin\n' })
  const { code, out } = await caracal(
    'enrich-test-data',
    folder,
    '--table',
    `users=${join(folder, 'users.csv')}`,
    '--table',
    'nope=x',
  )
  expect(code).toBe(1)
  expect(out).toContain("--table nope: there is no enabled table 'nope'")
  expect(out).toContain("filled.yml: test 'again': its Log cannot be changed in place")
})

test('what is no table content is refused with its place', async () => {
  const looks = CONTENT['looks.yml'].replace('users: users-2024-04-19.csv', 'users: 5')
  expect((await caracal('validate', '--path', folderOf({ ...CONTENT, 'looks.yml': looks }))).out).toMatch(
    /looks\.yml.*Tests.*Tables.*must be a list of rows or the name of a file/,
  )
})
