import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { TestServer } from './support/servers.ts'

/** The whole program with tables that need keys, one of them written by someone who wants another's key. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-keys-'))
const SECRET = 's3cr3t-5f0e'
let lists: TestServer
let evil: TestServer
let caracal: Caracal

interface Row {
  readonly state: string
  readonly rows: number
  readonly problem: string | null
}

async function refreshed(name: string): Promise<Row> {
  return (await (await caracal.fetch(`/api/v1/tables/${name}/refresh`, { method: 'POST' })).json()) as Row
}

beforeAll(async () => {
  ;[lists, evil] = await Promise.all([new TestServer().listen(), new TestServer().listen()])
  lists.answer = (response, { url, headers }) => {
    if (url === '/echo') response.writeHead(500).end(JSON.stringify(headers))
    else if (url === '/away') response.writeHead(302, { location: `${evil.url}/list` }).end()
    else response.writeHead(headers['key'] === SECRET ? 200 : 401).end('192.0.2.1\n')
  }
  evil.answer = (response) => void response.end('192.0.2.66\n')
  mkdirSync(join(folder, 'content'))
  const table = (name: string, url: string, key: string) =>
    writeFileSync(
      join(folder, 'content', `${name}.yml`),
      `AnalysisType: lookup_table\nLookupName: ${name}\nFormat: list\nMatch: ip\nLogTypeMap: { PrimaryKey: ip }\n` +
        `Provider: { type: url, url: "${url}", auth: { key: ${key}, header: Key } }\n`,
    )
  table('mine', `${lists.url}/list`, 'lists')
  table('echo', `${lists.url}/echo`, 'lists')
  table('away', `${lists.url}/away`, 'lists')
  table('thief', `${evil.url}/list`, 'lists')
  table('unset', `${lists.url}/list`, 'other')
  table('later', `${lists.url}/list`, 'later')
  writeFileSync(join(folder, 'secret'), `${SECRET}\n`)
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    http: { allow_private: ['127.0.0.1/32'] },
    keys: {
      lists: { value: { file: join(folder, 'secret') }, hosts: [lists.url] },
      later: { value: { file: join(folder, 'later') }, hosts: [lists.url] },
    },
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
}, 120_000)
afterAll(async () => {
  await caracal.end('SIGKILL')
  await Promise.all([lists.close(), evil.close()])
  rmSync(folder, { recursive: true, force: true })
})

test('a key reaches its host and no other, a missing one is named with what to do, and a new secret file needs no restart', {
  timeout: 120_000,
}, async () => {
  expect(await refreshed('mine')).toMatchObject({ state: 'ok', rows: 1, problem: null })
  expect(await refreshed('echo')).toMatchObject({ state: 'failing', problem: expect.stringMatching(/answered 500/) })
  expect(await refreshed('thief')).toMatchObject({ state: 'missing', problem: expect.stringMatching(/'lists' is not meant for/) })
  expect(evil.connections).toBe(0)
  expect(await refreshed('away')).toMatchObject({ state: 'ok' })
  expect(JSON.stringify(evil.received)).not.toContain(SECRET)
  expect(await refreshed('unset')).toMatchObject({
    state: 'missing',
    problem: expect.stringMatching(/needs the key 'other': add `keys: \{ other: .*OTHER_KEY.* to caracal\.yml and restart/),
  })
  expect(await refreshed('later')).toMatchObject({
    state: 'missing',
    problem: expect.stringMatching(/secret file .*later cannot be read/),
  })
  writeFileSync(join(folder, 'later'), SECRET)
  expect(await refreshed('later')).toMatchObject({ state: 'ok', problem: null })
})

test('the secret is nowhere: not in the API, the metrics, the log or the data folder', { timeout: 120_000 }, async () => {
  for (const path of ['/api/v1/tables', '/api/v1/health', '/metrics'])
    expect(await (await caracal.fetch(path)).text(), path).not.toContain(SECRET)
  expect(caracal.output).not.toContain(SECRET)
  const files = readdirSync(join(folder, 'data'), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, 'data', file))
  const holding = files.filter((file) => {
    const found = statSync(file, { throwIfNoEntry: false })
    return found?.isFile() && readFileSync(file).includes(SECRET)
  })
  expect(holding).toEqual([])
})
