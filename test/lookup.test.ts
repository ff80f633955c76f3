import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { runWith } from './support/cli.ts'

// Each run starts a child process.
vi.setConfig({ testTimeout: 120_000 })

const top = mkdtempSync(join(tmpdir(), 'caracal-lookup-'))
afterAll(() => {
  process.exitCode = 0
  rmSync(top, { recursive: true, force: true })
})

const RULE = 'AnalysisType: rule\nEnabled: true\nSeverity: High\nLogTypes: [Custom.Login]\n'

/** No field of a log selects the table, so only rules read it. */
const CONTENT = {
  'login.schema.yml': 'schema: Custom.Login\nfields:\n  - { name: user, type: string, required: true }\n',
  'users.yml': 'AnalysisType: lookup_table\nLookupName: users\nFilename: users.csv\nLogTypeMap:\n  PrimaryKey: name\n',
  'users.csv': 'name,role\nann,admin\nbob,guest\n',
  'admin.yml': `${RULE}RuleID: Admin\nFilename: admin.py\n`,
  'admin.py':
    'def rule(event):\n    row = event.lookup("users", event.get("user"))\n    return row is None or row["role"] == "admin"\n',
}

/** Runs logins of these users through the content. */
async function run(name: string, content: Readonly<Record<string, string>>, users: readonly string[], ...argv: string[]) {
  const folder = join(top, name)
  mkdirSync(folder)
  for (const [file, text] of Object.entries(content)) writeFileSync(join(folder, file), text)
  writeFileSync(join(folder, 'logins.json'), users.map((user) => JSON.stringify({ user })).join('\n'))
  const flags = ['--content', folder, '--log-type', 'Custom.Login', '--emit', 'matches', ...argv]
  const { out, err } = await runWith({ XDG_CACHE_HOME: join(top, 'cache'), CARACAL_DATA_DIR: join(top, 'data') }, [
    'run',
    join(folder, 'logins.json'),
    ...flags,
  ])
  const lines = out.split('\n').filter(Boolean)
  return {
    matches: lines.map((line) => JSON.parse(line) as { rule_id: string; event: Record<string, unknown> }),
    err,
  }
}

test('a rule reads a table that no field selects, and its match shows the row and the version', async () => {
  const { matches } = await run('read', CONTENT, ['ann', 'bob', 'eve'])
  expect(matches.map(({ event }) => [event['user'], event['p_enrichment']])).toEqual([
    ['ann', { users: { p_lookup: [{ name: 'ann', role: 'admin', p_match: 'ann', p_version: expect.any(String) }] } }],
    ['eve', { users: { p_lookup: [{ p_match: 'eve', p_version: expect.any(String), p_missing: true }] } }],
  ])
})

test('rows of a given file are read instead', async () => {
  const other = join(top, 'other.csv')
  writeFileSync(other, 'name,role\nann,guest\neve,guest\nbob,admin\n')
  const { matches } = await run('other', CONTENT, ['ann', 'bob', 'eve'], '--table', `users=${other}`)
  expect(matches.map(({ event }) => event['user'])).toEqual(['bob'])
})

test('a rule in YAML and an inline filter read joined rows', async () => {
  const role = (more: string) => `{ Enrichment: { Table: users, Selector: user, FieldPath: role }, ${more} }`
  const content = {
    ...CONTENT,
    'users.yml': `${CONTENT['users.yml']}  AssociatedLogTypes:\n    - { LogType: Custom.Login, Selectors: [user] }\n`,
    'admin.yml': `${RULE}RuleID: Admin\nDetection:\n  - ${role('Condition: Equals, Value: admin')}\n`,
    'filtered.yml': `${RULE}RuleID: Filtered\nFilename: filtered.py\nInlineFilters:\n  - ${role('Condition: IsIn, Values: [guest]')}\n`,
    'filtered.py': 'def rule(event):\n    return True\n',
  }
  const { matches } = await run('yaml', content, ['ann', 'bob', 'eve'])
  const found = matches.map(({ rule_id, event }) => `${rule_id} ${String(event['user'])}`).sort()
  // An event without a row passes an inline filter.
  expect(found).toEqual(['Admin ann', 'Filtered bob', 'Filtered eve'])
})

test('a table that does not exist is an error of the rule, not a missing row', async () => {
  const code = CONTENT['admin.py'].replace('"users"', '"user"')
  const { matches, err } = await run('unknown', { ...CONTENT, 'admin.py': code }, ['ann'])
  expect(matches).toEqual([])
  expect(err).toMatch(/rule Admin: .*no table 'user' is in force. In force: .*users/)
})
