import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { testAuthority } from '../../test/support/certificates.ts'
import { readKeyPair } from '../config/tls.ts'
import { type RunningServer, startServer } from './server.ts'

const authority = testAuthority()
let folder: string
let server: RunningServer
let problems: string[]

function write({ cert, key }: { cert: string; key: string }): void {
  writeFileSync(join(folder, 'cert.pem'), cert)
  writeFileSync(join(folder, 'key.pem'), key)
}

const tls = () => ({ cert: { file: join(folder, 'cert.pem') }, key: { file: join(folder, 'key.pem') } })

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-tls-'))
  problems = []
  write(authority.server())
  server = await startServer(() => new Response('served'), {
    listen: '127.0.0.1:0',
    tls: () => readKeyPair(tls(), {}),
    reloadMs: 20,
    onTlsProblem: (message) => problems.push(message),
  })
})
afterEach(async () => {
  await server.close(0)
  rmSync(folder, { recursive: true, force: true })
})

async function get(agent: Agent): Promise<{ text: string; headers: Record<string, unknown>; serial: string }> {
  const request = httpRequest(server.url, { agent }).end()
  const [response] = await once(request, 'response')
  const { serialNumber: serial } = (response.socket as TLSSocket).getPeerCertificate()
  let text = ''
  for await (const chunk of response) text += chunk
  return { text, headers: response.headers, serial }
}

async function serialOfNew(): Promise<string> {
  const { port } = new URL(server.url)
  const socket = connect({ port: Number(port), host: '127.0.0.1', ca: authority.certificate })
  await once(socket, 'secureConnect')
  const { serialNumber } = socket.getPeerCertificate()
  socket.destroy()
  return serialNumber
}

test('requests are answered over HTTPS, with a certificate that clients verify', async () => {
  const agent = new Agent({ ca: authority.certificate })
  const { text, headers } = await get(agent)
  expect([text, headers['x-content-type-options']]).toEqual(['served', 'nosniff'])
  await expect(get(new Agent())).rejects.toThrow(/unable to verify/)
  agent.destroy()
})

test('new files serve new connections, and connections that exist stay', async () => {
  const agent = new Agent({ ca: authority.certificate, keepAlive: true, maxSockets: 1 })
  const { serial } = await get(agent)
  write(authority.server())
  await vi.waitFor(async () => expect(await serialOfNew()).not.toBe(serial))
  expect(await get(agent)).toMatchObject({ text: 'served', serial })
  agent.destroy()
})

test('files that do not belong together are reported once, and the pair before stays in use until they do', async () => {
  const before = await serialOfNew()
  const [one, other] = [authority.server(), authority.server()]
  write({ cert: one.cert, key: other.key })
  await vi.waitFor(() => expect(problems).toEqual([expect.stringMatching(/^tls: the key does not belong to the certificate/)]))
  expect(await serialOfNew()).toBe(before)
  write(one)
  await vi.waitFor(async () => expect(await serialOfNew()).not.toBe(before))
  expect(problems).toHaveLength(1)
})

test.each([
  ['cert.pem', '', /^tls\.cert: the secret file .*cert\.pem is empty/],
  ['cert.pem', 'x', /^tls\.cert: it is not in PEM format/],
  ['key.pem', 'x', /^tls\.key: it is not in PEM format/],
])('%s containing %j is refused with the reason', (file, text, why) => {
  writeFileSync(join(folder, file), text)
  expect(() => readKeyPair(tls(), {})).toThrow(why)
})
