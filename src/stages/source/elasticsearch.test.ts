import { beforeEach, expect, test } from 'vitest'
import { RetryLater } from '../../util/errors.ts'
import { elasticsearch } from './elasticsearch.ts'
import { Shipped } from './shipper.fixture.ts'

let es: Shipped
beforeEach(() => {
  es = new Shipped((deps) => elasticsearch.pushes!(elasticsearch.config.parse({ id: 'beats' }), deps))
})

const bulk = (...lines: object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('')
const filebeat = {
  '@timestamp': '2024-04-19T10:00:00.123Z',
  message: '192.0.2.7 - - "GET /"',
  log: { offset: 0, file: { path: '/var/log/nginx/access.log' } },
  host: { name: 'web1', os: { type: 'linux' } },
  agent: { type: 'filebeat' },
}

test('documents are records as they are; lines that a shipper has wrapped are records with the rest as fields', async () => {
  const winlog = { message: 'A user logged on', winlog: { event_id: 4624 }, log: { file: {} } }
  const body = `${bulk({ create: { _index: 'logs-app', _id: 'i1' } })}{"n": 18446744073709551615}\n\n${bulk({ index: {} }, filebeat, { create: {} }, winlog)}`
  const answer = await es.send('/filebeat-8/_bulk?filter_path=errors', { body })
  expect(answer).toMatchObject({ status: 200, body: { errors: false } })
  expect(answer.body.items.map((item: object) => Object.entries(item)[0])).toMatchObject([
    ['create', { _index: 'logs-app', _id: 'i1', status: 201, result: 'created' }],
    ['index', { _index: 'filebeat-8', status: 201 }],
    ['create', { status: 201 }],
  ])
  expect(es.records()).toEqual([
    { text: '{"n": 18446744073709551615}', hints: { fields: { _index: 'logs-app', _id: 'i1' } } },
    {
      text: filebeat.message,
      hints: {
        time: '2024-04-19T10:00:00.123Z',
        host: 'web1',
        fields: {
          '@timestamp': filebeat['@timestamp'],
          log: filebeat.log,
          agent: filebeat.agent,
          'host.name': 'web1',
          'host.os': { type: 'linux' },
          _index: 'filebeat-8',
        },
      },
    },
    { text: JSON.stringify(winlog), hints: { fields: { _index: 'filebeat-8' } } },
  ])
})

test('items that are not records are refused alone, with the reason', async () => {
  const body = `${bulk({ index: {} }, { a: 1 }, { delete: { _id: 'x' } }, { update: { _id: 'x' } }, { doc: {} }, { create: {} })}{"broken"\n${bulk({ index: {} }, [1], { index: {} }, { a: 2 })}`
  const { body: answer } = await es.send('/_bulk', { body })
  expect(answer.errors).toBe(true)
  expect(answer.items.map((item: object) => Object.values(item)[0].status)).toEqual([201, 400, 400, 400, 400, 201])
  expect(answer.items[3].create.error).toEqual({
    type: 'document_parsing_exception',
    reason: 'the document is not one JSON object',
  })
  expect(es.texts()).toEqual(['{"a":1}', '{"a":2}'])
})

test('when there is no room, every record gets 429 and can be sent again; those that can never be stored get 400', async () => {
  es.refuse = new RetryLater('the spool is full', 2500)
  const answer = await es.send('/_bulk', { body: bulk({ index: {} }, { a: 1 }, { delete: {} }, { create: {} }, { a: 2 }) })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('retry-after')).toBe('3')
  expect(answer.body.errors).toBe(true)
  expect(answer.body.items.map((item: object) => Object.values(item)[0].status)).toEqual([429, 400, 429])
})

test.each<[string, string, RegExp]>([
  ['nothing', '', /body is required/],
  ['a document without an action', '{"a":1}\n{"b":2}\n', /action 1 is malformed: expected.*found "\{\\"a\\":1\}"/],
  ['an action without its document', bulk({ index: {} }, { a: 1 }, { index: {} }), /action 2 has no document/],
  ['text', 'hello\nworld\n', /action 1 is malformed/],
])('%s: 400, and nothing is stored', async (_, body, message) => {
  const answer = await es.send('/_bulk', { body })
  expect(answer.status).toBe(400)
  expect(answer.body.error.reason).toMatch(message)
  expect(es.bodies).toEqual([])
})

test.each<[string, string, object]>([
  ['GET', '/', { version: { number: '9.0.0' }, tagline: 'You Know, for Search' }],
  ['GET', '/_license', { license: { status: 'active', type: 'basic' } }],
  ['GET', '/_ilm/policy/filebeat', { filebeat: { policy: {} } }],
  ['PUT', '/_ilm/policy/filebeat', { acknowledged: true }],
  ['PUT', '/_index_template/filebeat-8.17.0', { acknowledged: true }],
  ['GET', '/_cluster/health', { status: 'green' }],
])('%s %s is answered as shippers expect it', async (method, path, body) => {
  const answer = await es.send(path, { method, ...(method === 'PUT' && { body: '{}' }) })
  expect(answer).toMatchObject({ status: 200, body })
  expect(answer.headers.get('x-elastic-product')).toBe('Elasticsearch')
})

test.each(['/', '/_index_template/filebeat-8.17.0', '/_data_stream/x'])('HEAD %s says that it exists', async (path) => {
  expect((await es.send(path, { method: 'HEAD' })).status).toBe(200)
})

test.each<[string, string, Record<string, string>, number, string]>([
  ['a wrong token', '/_bulk', { authorization: 'Bearer bad' }, 401, 'security_exception'],
  ['a handshake without a token', '/', { authorization: '' }, 401, 'security_exception'],
  ['a search', '/logs/_search', {}, 400, 'illegal_argument_exception'],
  ['a form', '/_bulk', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'illegal_argument_exception'],
])('%s is refused', async (_, path, headers, status, type) => {
  expect(await es.send(path, { headers, body: '{}' })).toMatchObject({ status, body: { error: { type }, status } })
})

test.each(['id:good', 'good'])('an API key %j is read as clients encode it', async (key) => {
  const encoded = key.includes(':') ? Buffer.from(key).toString('base64') : key
  const headers = { authorization: `ApiKey ${encoded}` }
  expect((await es.send('/_bulk', { headers, body: bulk({ index: {} }, { a: 1 }) })).status).toBe(200)
})
