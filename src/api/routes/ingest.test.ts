import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeEngine, fakeEngine } from '../../../test/support/fake-engine.ts'
import { elasticsearch } from '../../stages/source/elasticsearch.ts'
import type { Intake } from '../../stages/source/source.ts'
import { splunkHec } from '../../stages/source/splunk-hec.ts'
import { sendNothing } from '../../util/http/send.ts'
import { createApp } from '../app.ts'

let engine: FakeEngine
const stored: string[] = []

beforeEach(async () => {
  stored.length = 0
  const open = async (id: string, definition: typeof elasticsearch | typeof splunkHec, token: string) => {
    const deps = {
      append: async () => void stored.push(id),
      now: () => 1,
      authorised: (given: string | undefined) => given === token,
      send: sendNothing,
      secret: () => '',
    }
    return [id, await definition.pushes!(definition.config.parse({ id }) as never, deps)] as const
  }
  engine = {
    ...(await fakeEngine()),
    intakes: new Map<string, Intake>([
      await open('beats', elasticsearch, 'one'),
      await open('hec', splunkHec, 'one'),
      await open('hec2', splunkHec, 'two'),
      await open('hec3', splunkHec, 'two'),
    ]),
  }
})
afterEach(() => engine.dispose())

async function post(path: string, token: string, body = '{"event":1}', method = 'POST') {
  const headers = { ...(token && { authorization: `Bearer ${token}` }), 'content-type': 'application/json' }
  const response = await createApp(engine).request(path, { method, headers, ...(method === 'POST' && { body }) })
  return { status: response.status, text: await response.text() }
}

test.each([
  ['/ingest/hec2/services/collector/event', 'two', 'hec2'],
  ['/ingest/hec3/services/collector/event?channel=1', 'two', 'hec3'],
  ['/services/collector/event', 'one', 'hec'],
])('%s with the token %s is for the source %s', async (path, token, id) => {
  expect((await post(path, token)).status).toBe(200)
  expect(stored).toEqual([id])
})

test('at its own path, a protocol does not choose between sources with the same token', async () => {
  const answer = await post('/services/collector/event', 'two')
  expect(answer.status).toBe(409)
  expect(answer.text).toContain('/ingest/hec2/services/collector/event, /ingest/hec3/services/collector/event')
  expect(stored).toEqual([])
})

test('an unknown sender is refused in the words of the protocol, and a path of no protocol is not found', async () => {
  expect(await post('/services/collector/event', 'three')).toEqual({ status: 403, text: '{"text":"Invalid token","code":4}' })
  expect((await post('/_bulk', 'three')).text).toContain('security_exception')
  expect((await post('/nothing', 'one')).text).toContain('"not_found"')
  expect(stored).toEqual([])
})

test('an index and an action reach the bulk endpoint, and / is a handshake only for a known sender', async () => {
  expect((await post('/logs-app/_bulk', 'one', '{"index":{}}\n{"a":1}\n')).status).toBe(200)
  expect(stored).toEqual(['beats'])
  expect((await post('/', 'one', '', 'GET')).text).toContain('You Know, for Search')
  expect((await post('/', 'one', '', 'HEAD')).status).toBe(200)
  for (const token of ['', 'three']) expect((await post('/', token, '', 'GET')).text).toContain('Caracal: a self-hosted')
})

test('paths of the API stay its own, whatever the token', async () => {
  expect((await post('/api/v1/alerts', 'one', '', 'GET')).status).toBe(401)
  expect((await post('/ingest/nope/_bulk', 'one')).text).toContain("there is no source 'nope' that accepts requests")
})
