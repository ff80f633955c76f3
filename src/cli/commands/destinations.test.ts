import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TestServer } from '../../../test/support/servers.ts'
import { checkSecrets } from '../check-secrets.ts'
import { readConfig } from '../config.ts'
import type { Io } from '../io.ts'
import { runCli } from '../main.ts'

let folder: string
let server: TestServer
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-destinations-'))
  server = await new TestServer().listen()
})
afterEach(async () => {
  rmSync(folder, { recursive: true })
  await server.close()
})

async function call(env: Record<string, string>, ...args: string[]) {
  const file = join(folder, 'caracal.yml')
  const soc = { type: 'webhook', id: 'soc', url: { env: 'HOOK' }, secret: { env: 'KEY' } }
  writeFileSync(file, JSON.stringify({ destinations: [soc, { type: 'stdout', id: 'terminal' }] }))
  const said = { out: '', err: '' }
  const io = {
    env,
    columns: 100,
    isTty: false,
    hasColor: false,
    out: (text: string) => {
      said.out += text
    },
    err: (text: string) => {
      said.err += text
    },
  } as unknown as Io
  const code = await runCli(['destinations', 'test', ...args, '--config', file], io)
  return { code, ...said, problems: await checkSecrets(readConfig({ config: file }, io), env) }
}

test('the test alert reaches a webhook, signed and marked as a test', async () => {
  const { code, err, problems } = await call({ HOOK: `${server.url}/h1dden`, KEY: 'k' }, 'soc', '--severity', 'CRITICAL')
  expect([code, err, problems]).toEqual([0, 'Destination soc accepted the test alert.\n', []])
  expect(server.received).toHaveLength(1)
  expect(server.received[0]!.headers['caracal-signature']).toMatch(/^sha256=/)
  expect(JSON.parse(server.received[0]!.body)).toMatchObject({ id: 'Caracal.Test', severity: 'CRITICAL', type: 'SYSTEM' })
})

test('the terminal prints it', async () => {
  const { code, out } = await call({}, 'terminal')
  expect([code, out]).toEqual([0, 'INFO      Test alert from Caracal: this destination works\n'])
})

test('if a destination does not accept it, exits with 1 without showing its URL', async () => {
  server.answer = (response) => void response.writeHead(403).end()
  const { code, err } = await call({ HOOK: `${server.url}/h1dden`, KEY: 'k' }, 'soc')
  expect([code, err]).toEqual([1, `caracal: the webhook at ${server.url} answered 403\n`])
})

test('a missing secret exits with 2, as a configuration problem', async () => {
  const { code, err, problems } = await call({ HOOK: server.url }, 'soc')
  const message = 'destination soc: the environment variable KEY, which should contain a secret, is not set'
  expect([code, err]).toEqual([2, `caracal: ${message}\n`])
  expect(problems).toEqual([message])
  expect(server.connections).toBe(0)
})

test('an unknown destination exits with 2, and the known ones are listed', async () => {
  const { code, err } = await call({}, 'mail')
  expect([code, err]).toEqual([2, "caracal: the configuration has no destination 'mail'. It has: soc, terminal\n"])
})
