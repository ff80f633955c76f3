import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { PinnedTable } from '../model/rule.ts'
import { TestTables } from './test-tables.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-test-tables-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const LogTypeMap = { PrimaryKey: 'name', AssociatedLogTypes: [{ LogType: 'Custom.*', Selectors: ['user'] }] }
const users = { AnalysisType: 'lookup_table', LookupName: 'users', Enabled: false, Filename: 'none.csv', LogTypeMap }
const content = { schemas: [], tables: [{ name: 'users', file: join(folder, 'users.yml'), root: folder, document: users }] }
const RULE = { logTypes: ['Custom.Login'] }

async function prepared(log: string, tables: readonly PinnedTable[], rule: { readonly logTypes: string[] } = RULE) {
  const given = { name: 'a test', expectedResult: true, log, mocks: [], tables }
  const { log: text, rows } = await new TestTables(content).prepare(rule, given)
  return { text, rows: rows!, event: JSON.parse(text) as Record<string, unknown> }
}

const rows = (text: string): PinnedTable => ({ name: 'users', rows: text })

test('the event is joined with the rows as in production, with every number as it is written', async () => {
  const {
    text,
    event,
    rows: found,
  } = await prepared('{"user": "ann", "big": 12345678901234567890, "float": 1.0}', [
    rows('[{"name": "ann", "id": 18446744073709551615}]'),
  ])
  expect(event['p_enrichment']).toMatchObject({ users: { user: { name: 'ann', p_match: 'ann', p_version: expect.any(String) } } })
  for (const number of ['12345678901234567890', '1.0', '18446744073709551615']) expect(text).toContain(number)
  expect(found.find('users', 'ann')).toMatchObject({ row: { name: 'ann', id: 18446744073709551615n } })
  expect(found.find('users', 'bob')).toMatchObject({ row: null })
  expect(found.find('nope', 'ann')).toEqual({ problem: expect.stringContaining('In force: users') })
})

test('a pinned table replaces what the Log says about it; what it says about others stays', async () => {
  const log = '{"user": "ann", "p_enrichment": {"users": {"user": {"old": true}}, "hosts": {"ip": {"a": 1}}}}'
  const joined = await prepared(log, [rows('[{"name": "ann", "x": 1}]')])
  expect(joined.event['p_enrichment']).toMatchObject({ hosts: { ip: { a: 1 } }, users: { user: { x: 1 } } })
  expect(joined.text).not.toContain('"old":true')
  expect((await prepared(log, [rows('[]')])).event['p_enrichment']).toEqual({ hosts: { ip: { a: 1 } } })
  expect((await prepared('{}', [rows('[]')])).text).toBe('{}')
})

test('a file has the date of its name; a shipped table needs no definition', async () => {
  const file = join(folder, 'tor-2024-04-19.csv')
  writeFileSync(file, 'ip\n192.0.2.1\n')
  const { event, rows: found } = await prepared('{"id_orig_h": "192.0.2.1"}', [{ name: 'tor_exit_nodes', file }], {
    logTypes: ['Zeek.Conn'],
  })
  const version = expect.stringMatching(/^2024-04-19-/)
  expect(event['p_enrichment']).toMatchObject({ tor_exit_nodes: { id_orig_h: { ip: '192.0.2.1', p_version: version } } })
  expect(found.find('tor_exit_nodes', '192.0.2.1')).toMatchObject({ version })
})

test('rows are rows, however the content of the table is laid out', async () => {
  const laidOut = { ...users, Format: 'csv', Columns: ['name', 'role'], Rows: 'data.items' }
  const tables = [{ name: 'users', file: join(folder, 'users.yml'), root: folder, document: laidOut }]
  const given = {
    name: 'a test',
    expectedResult: true,
    log: '{"user": "ann"}',
    mocks: [],
    tables: [rows('[{"name": "ann", "x": 1}]')],
  }
  const { log } = await new TestTables({ schemas: [], tables }).prepare(RULE, given)
  expect(JSON.parse(log)).toMatchObject({ p_enrichment: { users: { user: { x: 1 } } } })
})

test('what cannot be used is refused with its name', async () => {
  const bad = (log: string, table: PinnedTable, rule?: { readonly logTypes: string[] }) => prepared(log, [table], rule)
  await expect(bad('{}', { name: 'userss', rows: '[]' })).rejects.toThrow("there is no table 'userss': did you mean 'users'?")
  await expect(bad('{}', rows('[{"nam": 1}]'))).rejects.toThrow(/table 'users' cannot be used: .*name/)
  await expect(bad('{}', { name: 'users', file: join(folder, 'none.csv') })).rejects.toThrow(
    /table 'users' cannot be used: .*none\.csv/,
  )
  await expect(bad('{}', rows('[]'), { logTypes: ['A', 'B'] })).rejects.toThrow('the Log needs a p_log_type')
})
