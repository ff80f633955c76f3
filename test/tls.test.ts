import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serve } from '../src/cli/serve.ts'
import { configSchema } from '../src/config/config.ts'
import { testAuthority } from './support/certificates.ts'
import { runWith } from './support/cli.ts'
import { type FakeEngine, fakeEngine, TOKEN } from './support/fake-engine.ts'

const authority = testAuthority()
let folder: string
let engine: FakeEngine
let running: Awaited<ReturnType<typeof serve>>
let config: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-https-'))
  // Issued for a name, while the command line calls an address.
  const pair = authority.server('siem.example.com')
  writeFileSync(join(folder, 'cert.pem'), pair.cert)
  writeFileSync(join(folder, 'key.pem'), pair.key)
  const tls = { cert: { file: join(folder, 'cert.pem') }, key: { file: join(folder, 'key.pem') } }
  engine = await fakeEngine({ listen: '127.0.0.1:0', tls })
  writeFileSync(join(engine.config.data_dir, 'token'), TOKEN)
  const io = { out: () => {}, err: () => {}, isTty: false } as never
  running = await serve({ ...configSchema.parse({ tls, listen: '127.0.0.1:0' }) }, async () => engine, io)
  config = join(folder, 'caracal.yml')
  const listen = new URL(running.url).host
  writeFileSync(config, JSON.stringify({ listen, data_dir: engine.config.data_dir, tls }))
})
afterAll(async () => {
  await running.stop()
  await engine.dispose()
  rmSync(folder, { recursive: true, force: true })
})

test('the command line calls a server with TLS, whose certificate it knows from the file', async () => {
  expect(running.url).toMatch(/^https:/)
  expect(await runWith({}, ['health', '--config', config])).toMatchObject({ code: 0, out: 'ok\n' })
})

test('it does not send its token to a server with another certificate', async () => {
  const other = join(folder, 'other.yml')
  writeFileSync(join(folder, 'other.pem'), authority.server('siem.example.com').cert)
  const tls = { cert: { file: join(folder, 'other.pem') }, key: { file: join(folder, 'key.pem') } }
  writeFileSync(other, JSON.stringify({ listen: new URL(running.url).host, data_dir: engine.config.data_dir, tls }))
  const { code, err } = await runWith({}, ['health', '--config', other])
  expect([code, err]).toEqual([1, expect.stringMatching(/the certificate that it presents is not the one in .*other\.pem/)])
})

test('validate reports a key that does not belong to the certificate', async () => {
  const bad = join(folder, 'bad.yml')
  writeFileSync(join(folder, 'bad.pem'), authority.server().key)
  const tls = { cert: { file: join(folder, 'cert.pem') }, key: { file: join(folder, 'bad.pem') } }
  writeFileSync(bad, JSON.stringify({ tls }))
  const { code, out } = await runWith({}, ['validate', '--config', bad])
  expect([code, out]).toEqual([1, expect.stringContaining('tls: the key does not belong to the certificate')])
})

test('people who verify the name are served', async () => {
  const { port } = new URL(running.url)
  const status = await new Promise((resolve, reject) => {
    const to = { host: '127.0.0.1', port, path: '/healthz', servername: 'siem.example.com', ca: authority.certificate }
    request({ ...to, headers: { host: '127.0.0.1' } }, (response) => resolve(response.statusCode))
      .on('error', reject)
      .end()
  })
  expect(status).toBe(200)
})
