import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientTypes } from '../scripts/lib/client-types.mjs'
import { ApiProblem, type Client, createClient, type News } from '../src/client/client.ts'
import { packageRoot } from '../src/util/entry.ts'
import { Caracal, freePort } from './support/caracal.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-client-'))
let caracal: Caracal
let client: Client
beforeAll(async () => {
  const port = await freePort()
  const dataDir = join(folder, 'data')
  caracal = new Caracal({ port, dataDir, cwd: folder, args: ['--data-dir', dataDir, '--listen', `127.0.0.1:${port}`] })
  await caracal.start()
  client = createClient({ url: `http://127.0.0.1:${port}`, token: readFileSync(join(dataDir, 'token'), 'utf8').trim() })
})
afterAll(async () => {
  await caracal.end('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
})

test('the types of the client are those of the API as it is', async () => {
  const description = (await client.call('GET /api/v1/me')) && (await caracal.fetch('/api/v1/openapi.json'))
  const made = clientTypes((await description.json()) as never)
  const biome = join(dirname(createRequire(import.meta.url).resolve('@biomejs/biome/package.json')), 'bin/biome')
  const options = { input: made, encoding: 'utf8', cwd: packageRoot(), maxBuffer: 8 << 20 } as const
  const formatted = execFileSync(process.execPath, [biome, 'format', '--stdin-file-path=src/client/made.ts'], options)
  const stored = readFileSync(join(packageRoot(), 'src/client/operations.ts'), 'utf8')
  expect(formatted === stored, 'the API has changed: run `npm run client`').toBe(true)
})

test('calls have their parameters, and say what failed', async () => {
  const { results } = await client.call('GET /api/v1/alerts', { query: { severity: ['CRITICAL', 'HIGH'], limit: 10 } })
  expect(results.map(({ severity }) => severity).sort()).toEqual(['CRITICAL', 'HIGH'])
  const alert = await client.call('GET /api/v1/alerts/{id}', { path: { id: results[0]!.alert_id } })
  expect(alert.title).toBe(results[0]!.title)
  const wrong = client.call('GET /api/v1/tables/{name}', { path: { name: 'a b/c?d' } })
  await expect(wrong).rejects.toMatchObject({ name: 'ApiProblem', status: 404, code: 'not_found' })
  await expect(wrong).rejects.toThrow(/a b\/c\?d/)
  const nobody = createClient({ url: client ? `http://127.0.0.1:${caracal.port}/` : '' })
  await expect(nobody.call('GET /api/v1/me')).rejects.toMatchObject({ status: 401 })
  const nowhere = createClient({ url: `http://127.0.0.1:${await freePort()}` })
  await expect(nowhere.call('GET /api/v1/health')).rejects.toMatchObject({ status: 0, code: 'unreachable' })
})

test('a list is read to its end, page by page', async () => {
  const ids: string[] = []
  for await (const { id } of client.list('GET /api/v1/rules', { query: { limit: 7 } })) ids.push(id)
  const { results } = await client.call('GET /api/v1/rules', { query: { limit: 1000 } })
  expect(ids).toEqual(results.map(({ id }) => id))
  expect(ids.length).toBeGreaterThan(7)
})

test('news arrive as they happen, until they are not wanted any more', async () => {
  const stop = new AbortController()
  const news = client.news({ kinds: ['alert.updated'], signal: stop.signal })
  const first = news.next()
  const { results } = await client.call('GET /api/v1/alerts', { query: { severity: ['CRITICAL'] } })
  const id = results[0]!.alert_id
  // The stream may not be open yet when the first change is made.
  let seen: News | 'reset' | undefined
  void first.then(({ value }) => {
    seen = value as News
  })
  for (let i = 0; seen === undefined && i < 200; i++) {
    await client.call('PATCH /api/v1/alerts/{id}', { path: { id }, body: { owner: `person ${i}` } })
    await Promise.race([first, new Promise((resolve) => setTimeout(resolve, 50))])
  }
  expect(seen).toMatchObject({ kind: 'alert.updated', subject: id })
  stop.abort()
  await news.return(undefined)
})

test('a program of somebody else compiles with the types of the package, and runs', () => {
  const project = join(folder, 'project')
  mkdirSync(join(project, 'node_modules'), { recursive: true })
  symlinkSync(packageRoot(), join(project, 'node_modules/caracal'))
  const page = readFileSync(join(packageRoot(), 'docs/api.md'), 'utf8')
  const program = /^```ts\n(.*?)^```/ms.exec(page)![1]!
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
  const require = createRequire(import.meta.url)
  const typeRoots = join(packageRoot(), 'node_modules/@types')
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc')
  const compile = (text: string) => {
    writeFileSync(join(project, 'program.ts'), text)
    const flags = ['--module', 'nodenext', '--target', 'es2023', '--strict', '--typeRoots', typeRoots, '--types', 'node']
    return spawnSync(process.execPath, [tsc, ...flags, 'program.ts'], { cwd: project, encoding: 'utf8' })
  }
  expect(compile(program.replace('alert.title', 'alert.titel')).stdout).toContain("Property 'titel' does not exist")
  expect(compile(program.replace("'GET /api/v1/alerts'", "'GET /api/v1/alarms'")).status).not.toBe(0)
  expect(compile(program)).toMatchObject({ status: 0, stdout: '' })
  const token = readFileSync(join(caracal.dataDir, 'token'), 'utf8').trim()
  const env = { ...process.env, CARACAL: `http://127.0.0.1:${caracal.port}`, TOKEN: token }
  const run = spawnSync(process.execPath, ['program.js'], { cwd: project, encoding: 'utf8', env })
  expect(run.stdout.trim()).toMatch(/TOR Exit Node/)
})

test('an abort is the caller’s own error', async () => {
  const error = await client.call('GET /api/v1/health', { signal: AbortSignal.abort() }).catch((one: unknown) => one)
  expect(error).not.toBeInstanceOf(ApiProblem)
  expect((error as Error).name).toBe('AbortError')
})
