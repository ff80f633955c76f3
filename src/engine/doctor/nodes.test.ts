import { expect, test } from 'vitest'
import type { StoredNode } from '../../state/nodes.ts'
import type { HttpAnswer, Send } from '../../util/http/send.ts'
import { findingOf } from './nodes.ts'

const node = (name: string, more: Partial<StoredNode> = {}): StoredNode => ({
  name,
  roles: ['worker'],
  version: '1.0.0',
  address: `http://${name}.example.com:4848`,
  startedMs: 0,
  silentMs: 3000,
  ...more,
})
const asked: string[] = []
const answering =
  (status: number): Send =>
  async ({ url }) => {
    asked.push(String(url))
    return { status, headers: new Map(), body: new Uint8Array() } as unknown as HttpAnswer
  }

test('nodes that answer are listed with what they do', async () => {
  asked.length = 0
  const active = node('a', { roles: ['ingest', 'worker', 'api', 'keeper'] })
  const nodes = [active, node('door', { roles: ['api'] }), node('w1')]
  expect(await findingOf(nodes, answering(200), '1.0.0')).toEqual({
    state: 'ok',
    message: 'a (ingest, worker, api, keeper); door (api); w1 (worker)',
  })
  expect(asked).toEqual(['a', 'door', 'w1'].map((name) => `http://${name}.example.com:4848/healthz`))
})

test('no node is recorded before the first start', async () => {
  expect(await findingOf([], answering(200), '1.0.0')).toMatchObject({ state: 'skipped' })
})

test.each<[string, StoredNode, Send, string]>([
  ['is missing', node('w', { silentMs: 185_000 }), answering(200), 'w has not been seen for 3 min'],
  ['has another version', node('w', { version: '0.9.0' }), answering(200), 'w runs version 0.9.0, and this is 1.0.0'],
  ['fails', node('w'), answering(503), 'w at http://w.example.com:4848 answers 503 to /healthz'],
  [
    'is somewhere else',
    node('w'),
    () => Promise.reject(new Error('ECONNREFUSED')),
    'w cannot be reached from here at http://w.example.com:4848: ECONNREFUSED',
  ],
])('a node that %s is a warning', async (_what, one, send, message) => {
  expect(
    await findingOf(
      [node('fine'), one],
      async (request) => (String(request.url).includes('fine') ? answering(200)(request) : send(request)),
      '1.0.0',
    ),
  ).toMatchObject({
    state: 'warning',
    message,
  })
})
