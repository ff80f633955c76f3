import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { packageRoot } from '../src/util/entry.ts'

const page = readFileSync(join(packageRoot(), 'docs/tables.md'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'tables-page-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** The files that the page shows, each with its name before its text. */
const files = [...page.matchAll(/`(content\/[\w.]+)`[^\n]*\n\n```\w+\n([\s\S]*?)```/g)].map(([, name, text]) => [name!, text!])
mkdirSync(join(folder, 'content'))
for (const [name, text] of files) writeFileSync(join(folder, name!), text!)

const run = promisify(execFile)
const caracal = (...args: string[]) => run(process.execPath, [join(packageRoot(), 'bin/caracal.js'), ...args], { cwd: folder })

/** The commands that the page shows. */
const [validate, match] = /```\n(caracal validate[\s\S]*?)```/
  .exec(page)![1]!
  .trim()
  .split('\n')
  .map((line) => line.split(' ').slice(1))

test('the examples in docs/tables.md are valid', async () => {
  expect(files.map(([name]) => name)).toEqual([
    'content/assets.csv',
    'content/assets.yml',
    'content/critical.yml',
    'content/conn.json',
    'content/tor_on_vpn.yml',
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

test('the extension in docs/tables.md has five lines, and joins the shipped table on one more field', async () => {
  const [, text] = files.find(([name]) => name!.includes('tor_on_vpn'))!
  expect(text!.trim().split('\n')).toHaveLength(5)
  writeFileSync(join(folder, 'list.txt'), '192.0.2.10\n')
  const args = ['run', 'content/conn.json', '--content', 'content', '--table', 'tor_exit_nodes=list.txt', '--emit', 'events']
  const event = JSON.parse((await caracal(...args)).stdout)
  expect(event.p_enrichment.tor_exit_nodes).toMatchObject({ id_resp_h: { ip: '192.0.2.10' } })
})
