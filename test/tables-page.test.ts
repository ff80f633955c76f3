import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { tableDefinitionSchema } from '../src/stages/enrich/definition.ts'
import { providers } from '../src/stages/enrich/index.ts'
import { packageRoot } from '../src/util/entry.ts'
import { Caracal, freePort } from './support/caracal.ts'

const page = readFileSync(join(packageRoot(), 'docs/tables.md'), 'utf8')
const reference = readFileSync(join(packageRoot(), 'docs/tables-reference.md'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'tables-page-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** The files that the pages show, each with its name before its text. */
const files = [...`${page}\n${reference}`.matchAll(/`(content\/[\w.]+)`[^\n]*\n\n```\w+\n([\s\S]*?)```/g)].map(
  ([, name, text]) => [name!, text!],
)
mkdirSync(join(folder, 'content'))
for (const [name, text] of files) writeFileSync(join(folder, name!), text!)

const run = promisify(execFile)
const caracal = (...args: string[]) => run(process.execPath, [join(packageRoot(), 'bin/caracal.js'), ...args], { cwd: folder })

/** The commands that the page shows. */
const commands = [...page.matchAll(/^caracal (.*)$/gm)].map(([, args]) => args!.split(' '))
const [validate, match, web, packs, enable] = commands

test('the examples of both pages are valid', async () => {
  expect(files.map(([name]) => name)).toEqual([
    'content/assets.csv',
    'content/assets.yml',
    'content/critical.yml',
    'content/conn.json',
    'content/web.yml',
    'content/tor_on_web.yml',
    'content/web.json',
    'content/tor_on_vpn.yml',
    'content/last_seen.yml',
    'content/dhcp_leases.yml',
    'content/seen_clients.yml',
    'content/new_client.yml',
    'content/identity_users.yml',
  ])
  expect((await caracal(...validate!)).stdout).toContain('0 problems')
})

test('the rule in docs/tables.md matches through the table, which adds its indicators', async () => {
  const [line] = (await caracal(...match!)).stdout.trim().split('\n')
  const { rule_id, event } = JSON.parse(line!)
  expect(rule_id).toBe('Assets.Critical')
  expect(event.p_enrichment).toMatchObject({
    assets: {
      id_resp_h: { name: 'mail-1', owner: 'ada', p_match: '192.0.2.10', p_version: expect.stringMatching(/^[0-9a-f]{12}$/) },
    },
    p_any_ip_addresses: ['192.0.2.10'],
    p_any_usernames: ['ada'],
  })
})

test('the extension in docs/tables.md has five lines, and puts the row of the shipped list under a field of the own log', async () => {
  const [, text] = files.find(([name]) => name!.includes('tor_on_web'))!
  expect(text!.trim().split('\n')).toHaveLength(5)
  const event = JSON.parse((await caracal(...web!)).stdout)
  expect(event.p_enrichment).toMatchObject({
    tor_exit_nodes: { client: { ip: event.client }, p_any_ip_addresses: [{ ip: event.client }] },
    p_any_ip_addresses: [event.client],
  })
})

test('the extension in docs/tables-reference.md joins the shipped table on one more field', async () => {
  writeFileSync(join(folder, 'list.txt'), '192.0.2.10\n')
  const args = ['run', 'content/conn.json', '--content', 'content', '--table', 'tor_exit_nodes=list.txt', '--emit', 'events']
  const event = JSON.parse((await caracal(...args)).stdout)
  expect(event.p_enrichment.tor_exit_nodes).toMatchObject({ id_resp_h: { ip: '192.0.2.10' } })
})

test('the pack that docs/tables.md enables is optional and then on', async () => {
  const [, , pack] = enable!
  const state = async () => (await caracal(...packs!)).stdout.split('\n').find((line) => line.startsWith(`${pack} `))
  expect(await state()).toContain('off (optional)')
  await caracal(...enable!)
  expect(await state()).not.toContain('off')
})

test('the commands that docs/tables.md changes tables with do so in the running program', async () => {
  const lines = [...page.matchAll(/^caracal tables .*$/gm)].map(([line]) => line)
  expect(lines).toHaveLength(5)
  const cwd = mkdtempSync(join(tmpdir(), 'tables-page-up-'))
  mkdirSync(join(cwd, 'content'))
  for (const [name, text] of files) if (name!.includes('assets')) writeFileSync(join(cwd, name!), text!)
  writeFileSync(join(cwd, 'assets.csv'), 'ip,name,owner,criticality\n192.0.2.12,web-1,mary,low\n')
  writeFileSync(join(cwd, 'users.csv'), 'user,name\nada,Ada\n')
  const [port, dataDir] = [await freePort(), join(cwd, 'data')]
  const at = ['--data-dir', dataDir, '--listen', `127.0.0.1:${port}`]
  const program = new Caracal({ port, dataDir, cwd, args: ['--no-demo', '--content', 'content', ...at] })
  await program.start()
  try {
    const row = async (table: string, key: string) =>
      ((await (await program.fetch(`/api/v1/tables/${table}/row?key=${key}`)).json()) as { row: unknown }).row
    const bin = `'${process.execPath}' '${join(packageRoot(), 'bin/caracal.js')}'`
    const outs: string[] = []
    for (const line of lines) {
      const shell = line.replace(/^caracal/, bin)
      outs.push((await run('sh', ['-c', `${shell} ${at.join(' ')}`], { cwd })).stdout)
      if (line.includes(' set ')) expect(await row('allowed_ports', '8443')).toMatchObject({ note: 'admin page' })
    }
    expect(outs[0]).toMatch(/would have 1 row: 1 added, 2 removed, 0 changed/)
    expect(outs[1]).toMatch(/has 1 row:/)
    expect(await row('assets', '192.0.2.12')).toMatchObject({ owner: 'mary' })
    expect(await row('allowed_ports', '8443')).toBeNull()
    expect(await row('vip_users', 'ada')).toMatchObject({ name: 'Ada' })
  } finally {
    await program.end('SIGTERM')
    rmSync(cwd, { recursive: true })
  }
}, 240_000)

test('docs/tables-reference.md has a row for every key of a table, and no other', () => {
  const schema = z.toJSONSchema(tableDefinitionSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema
  expect(keysIn(section('All keys')).sort()).toEqual(keysOf(schema).sort())
})

test('docs/tables-reference.md has a row for every provider, with all its keys', () => {
  const rows = [...section('Providers').matchAll(/^\| `(\w+)` \| (.*) \|$/gm)]
  const named = rows.map(([, type, keys]) => [type, new Set(keysIn(`| ${keys!.replaceAll(/\([^)]*\)/g, '')} |`))])
  const expected = providers.map(({ type, config }) => [type, new Set(Object.keys(config.shape))])
  expect(Object.fromEntries(named)).toEqual(Object.fromEntries(expected))
})

function section(heading: string): string {
  return reference.split(/^#{2,3} /m).find((part) => part.startsWith(`${heading}\n`))!
}

/** The code spans in the first cells of a section's tables. */
function keysIn(text: string): string[] {
  return [...text.matchAll(/^\| ([^|]*) \|/gm)].flatMap(([, cell]) => [...cell!.matchAll(/`([^`]+)`/g)].map(([, key]) => key!))
}

/** All keys of a table's YAML, `Checks.MinRows`, except those within a provider or a primary key. */
function keysOf({ properties = {}, items, anyOf = [] }: JsonSchema, before = ''): string[] {
  const own = Object.entries(properties).flatMap(([name, value]) => [
    `${before}${name}`,
    ...(name === 'PrimaryKey' ? [] : keysOf(value, `${before}${name}.`)),
  ])
  return [...own, ...[...(items ? [items] : []), ...anyOf].flatMap((one) => keysOf(one, before))]
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
}
