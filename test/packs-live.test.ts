import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { Caracal, freePort } from './support/caracal.ts'
import { runWith } from './support/cli.ts'
import { until } from './support/until.ts'

/** Packs are switched in the running program: their rules start and stop firing, and nothing is restarted. */

const folder = mkdtempSync(join(tmpdir(), 'caracal-packs-live-'))
const content = join(folder, 'own')
const config = join(folder, 'caracal.yml')
const BEFORE = '# Ours.\nsources: [{ type: http, id: door, log_types: [Custom.Netstat] }]\n'
let caracal: Caracal

const RULE = (id: string) =>
  `AnalysisType: rule\nRuleID: ${id}\nEnabled: true\nSeverity: Low\nLogTypes: [Custom.Netstat]\nDetection:\n  - { Key: protocol, Condition: Equals, Value: tcp }\nGroupBy: [{ Key: local_address }]\n`

beforeAll(async () => {
  mkdirSync(join(content, 'rules'), { recursive: true })
  for (const id of ['Own.Alone', 'Own.Shared']) writeFileSync(join(content, `rules/${id}.yml`), RULE(id))
  const pack = (id: string, ids: string) =>
    `AnalysisType: pack\nPackID: ${id}\nDescription: Ours\nPackDefinition: { IDs: [${ids}] }\n`
  writeFileSync(join(content, 'one.yml'), pack('Own.One', 'Own.Alone, Own.Shared'))
  writeFileSync(join(content, 'two.yml'), pack('Own.Two', 'Own.Shared'))
  writeFileSync(config, BEFORE)
  const [port, dataDir] = [await freePort(), join(folder, 'data')]
  const args = ['--no-demo', '--data-dir', dataDir, '--listen', `127.0.0.1:${port}`, '--content', content, '--config', config]
  caracal = new Caracal({ port, dataDir, cwd: folder, args })
  await caracal.start()
})
afterAll(async () => {
  await caracal?.end('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
})

interface Pack {
  readonly id: string
  readonly on: boolean
  readonly changes: string[]
}

const packs = async () => ((await (await caracal.fetch('/api/v1/packs?limit=500')).json()) as { results: Pack[] }).results
const pack = async (id: string) => (await packs()).find((one) => one.id === id)
async function turn(id: string, on: boolean) {
  const init = { method: 'PATCH', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ on }) }
  const response = await caracal.fetch(`/api/v1/packs/${id}`, init)
  return { status: response.status, body: (await response.json()) as { detail: string; change: { outcome: string } | null } }
}

let port = 20_000
/** Sends an event, and resolves with the rules that alerted for it once those of the shared rule have. */
async function firing(): Promise<string[]> {
  const address = `10.0.0.1:${++port}`
  const record = { protocol: 'tcp', local_address: address, foreign_address: '10.0.0.2:1', state: 'ESTABLISHED' }
  await caracal.fetch('/ingest/door', { method: 'POST', body: `${JSON.stringify(record)}\n` })
  return until(async () => {
    const { results } = (await (await caracal.fetch('/api/v1/alerts?limit=100')).json()) as {
      results: { rule_id: string; dedup: string }[]
    }
    const found = results.filter(({ dedup }) => dedup.includes(address)).map(({ rule_id: id }) => id)
    return found.includes('Own.Shared') ? found.sort() : undefined
  })
}

test('a rule of a pack stops and starts firing without a restart, and one that another pack has too goes on', async () => {
  expect(await pack('Own.One')).toMatchObject({
    on: true,
    by: 'default',
    running: 2,
    changes: ['Own.Alone'],
    description: 'Ours',
  })
  expect(await firing()).toEqual(['Own.Alone', 'Own.Shared'])

  expect(await turn('Own.One', false)).toMatchObject({ status: 200, body: { change: { outcome: 'swapped' } } })
  const text = readFileSync(config, 'utf8')
  expect(text.startsWith(BEFORE)).toBe(true)
  expect(parse(text)).toMatchObject({ disabled_packs: ['Own.One'] })
  expect(await pack('Own.One')).toMatchObject({ on: false, by: 'configuration', running: 1, changes: ['Own.Alone'] })
  expect(await firing()).toEqual(['Own.Shared'])

  expect(await turn('Own.One', true)).toMatchObject({ status: 200, body: { change: { outcome: 'swapped' } } })
  expect(await firing()).toEqual(['Own.Alone', 'Own.Shared'])
  expect((await turn('Own.One', true)).body.change).toBeNull()
})

test('a pack that is off until it is enabled brings its tables, and takes them away', async () => {
  const tables = async () =>
    ((await (await caracal.fetch('/api/v1/tables?limit=500')).json()) as { results: { name: string }[] }).results.map(
      ({ name }) => name,
    )
  expect(await pack('Caracal.Spamhaus')).toMatchObject({ on: false, optional: true, by: 'default' })
  expect(await tables()).not.toContain('spamhaus_drop')
  expect((await turn('Caracal.Spamhaus', true)).status).toBe(200)
  expect(await tables()).toContain('spamhaus_drop')
  expect((await turn('Caracal.Spamhaus', false)).status).toBe(200)
  expect(await tables()).not.toContain('spamhaus_drop')
})

test('a pack of schemas only is switched too, and its log types stay', async () => {
  expect(await pack('Caracal.Nginx')).toMatchObject({ on: true, changes: [], schemas: expect.arrayContaining(['Nginx.Access']) })
  await turn('Caracal.Nginx', false)
  expect(await pack('Caracal.Nginx')).toMatchObject({ on: false })
  await turn('Caracal.Nginx', true)
  expect(await pack('Caracal.Nginx')).toMatchObject({ on: true })
})

test('an unknown pack is refused, with the one that was probably meant', async () => {
  const { status, body } = await turn('Own.Onee', false)
  expect(status).toBe(404)
  expect(body.detail).toMatch(/did you mean 'Own\.One'/)
})

test('the command switches packs of the running program', async () => {
  const env = { XDG_CACHE_HOME: join(folder, 'cache') }
  const flags = [
    '--config',
    config,
    '--data-dir',
    join(folder, 'data'),
    '--listen',
    `127.0.0.1:${caracal.port}`,
    '--content',
    content,
  ]
  const off = await runWith(env, ['packs', 'disable', 'Own.One', ...flags])
  expect(off).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^Pack 'Own\.One' is now off\. 1 of its 2 detections runs?\.\n$/),
  })
  expect(await firing()).toEqual(['Own.Shared'])
  expect((await runWith(env, ['packs', 'enable', 'Own.One', ...flags])).code).toBe(0)
  expect(await firing()).toEqual(['Own.Alone', 'Own.Shared'])
})
