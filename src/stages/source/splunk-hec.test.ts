import { gzipSync } from 'node:zlib'
import { beforeEach, describe, expect, test } from 'vitest'
import { CaracalError, RetryLater } from '../../util/errors.ts'
import { NOW_MS, Shipped } from './shipper.fixture.ts'
import { splunkHec } from './splunk-hec.ts'

const EVENT = '/services/collector/event'
const channel = { 'x-splunk-request-channel': 'fe0ecfad-13d5-401b-847d-77833bd77131' }
let hec: Shipped
beforeEach(() => {
  hec = new Shipped((deps) => splunkHec.pushes!(splunkHec.config.parse({ id: 'hec' }), deps))
})

test('events one after another become records; what their envelopes say becomes hints', async () => {
  const body = `{"time":1426279439.123456789,"host":"web1","source":"/var/log/a.log","sourcetype":"Nginx.Access","index":"main",
    "fields":{"region":"eu","n":18446744073709551615},"event":"GET /\\n  \\"x\\" é"}{"event":{"id":18446744073709551615, "é":"\\u00e9"}}
    {"time":"1426279439","sourcetype":"shop","event":[1,2]}`
  const answer = await hec.send(EVENT, { body, headers: { authorization: 'Splunk good' } })
  expect(answer).toMatchObject({ status: 200, body: { text: 'Success', code: 0 } })
  expect(answer.body).not.toHaveProperty('ackId')
  expect(Buffer.from(hec.bodies[0]!.body).toString()).toBe(body)
  expect(hec.records()).toEqual([
    {
      text: 'GET /\n  "x" é',
      hints: {
        time: '2015-03-13T20:43:59.123456789Z',
        host: 'web1',
        logType: 'Nginx.Access',
        fields: { source: '/var/log/a.log', sourcetype: 'Nginx.Access', index: 'main', region: 'eu', n: '18446744073709551615' },
      },
    },
    { text: '{"id":18446744073709551615, "é":"\\u00e9"}', hints: {} },
    { text: '[1,2]', hints: { time: '2015-03-13T20:43:59Z', fields: { sourcetype: 'shop' } } },
  ])
})

test.each<[string, string, object, number]>([
  ['nothing', '  ', { text: 'No data', code: 5 }, 0],
  ['text', 'hello', { text: 'Invalid data format', code: 6, 'invalid-event-number': 0 }, 0],
  ['a cut event', '{"event":1}{"event":', { text: 'Invalid data format', code: 6, 'invalid-event-number': 1 }, 1],
  ['no event', '{"event":1}{"host":"a"}{"event":3}', { text: 'Event field is required', code: 12, 'invalid-event-number': 1 }, 1],
  ['null', '{"event":null}', { text: 'Event field is required', code: 12, 'invalid-event-number': 0 }, 0],
  ['an empty event', '{"event":""}', { text: 'Event field cannot be blank', code: 13, 'invalid-event-number': 0 }, 0],
  [
    'fields that are not an object',
    '{"event":1,"fields":[]}',
    { text: 'Error in handling indexed fields', code: 15, 'invalid-event-number': 0 },
    0,
  ],
])('%s: 400 with the number of the event, and the events before it are stored', async (_, body, expected, stored) => {
  expect(await hec.send(EVENT, { body })).toMatchObject({ status: 400, body: expected })
  expect(hec.texts().length).toBe(stored)
})

describe('a sourcetype decides the log type', () => {
  const events = (types: readonly string[]) => types.map((sourcetype) => JSON.stringify({ sourcetype, event: 'a' })).join('\n')
  const logTypes = (sender: Shipped) => sender.records().map(({ hints }) => (hints as { logType?: string }).logType)
  const withConfig = (config: object) =>
    new Shipped((deps) => splunkHec.pushes!(splunkHec.config.parse({ id: 'hec', ...config }), deps))

  test('the usual ones for text are known, and the source says more or otherwise', async () => {
    const types = ['access_combined', 'linux_secure', 'acme:shop', 'Nginx.Error', 'unknown', 'constructor', '__proto__']
    await hec.send(EVENT, { body: events(types) })
    expect(logTypes(hec)).toEqual([
      'Apache.AccessCombined',
      'Syslog.RFC3164',
      undefined,
      'Nginx.Error',
      undefined,
      undefined,
      undefined,
    ])
    const own = withConfig({ sourcetypes: { access_combined: 'Nginx.Access', 'acme:shop': 'Acme.Shop' } })
    await own.send(EVENT, { body: events(types) })
    expect(logTypes(own).slice(0, 4)).toEqual(['Nginx.Access', 'Syslog.RFC3164', 'Acme.Shop', 'Nginx.Error'])
  })

  test('in a source that names its log types, only its own sourcetypes count', async () => {
    const named = withConfig({ log_types: ['Nginx.Access', 'Acme.Shop'], sourcetypes: { access_combined: 'Nginx.Access' } })
    await named.send(EVENT, { body: events(['access_combined', 'linux_secure']) })
    expect(logTypes(named)).toEqual(['Nginx.Access', undefined])
  })

  test('JSON under the usual name of a text says itself what it is, unless the source decides', async () => {
    const body = '{"sourcetype":"syslog","event":{"a":1}}{"sourcetype":"syslog","event":" {\\"a\\":1}"}'
    await hec.send(EVENT, { body })
    await hec.send('/services/collector/raw?sourcetype=syslog', { body: '{"a":1}' })
    expect(logTypes(hec)).toEqual([undefined, undefined, undefined])
    const own = withConfig({ sourcetypes: { syslog: 'Acme.Json' } })
    await own.send(EVENT, { body })
    await own.send('/services/collector/raw?sourcetype=syslog&log_type=Acme.Other', { body: '{"a":1}' })
    expect(logTypes(own)).toEqual(['Acme.Json', 'Acme.Json', 'Acme.Json'])
  })

  test('raw lines', async () => {
    await hec.send('/services/collector/raw?sourcetype=linux_secure', { body: 'one\ntwo\n' })
    expect(logTypes(hec)).toEqual(['Syslog.RFC3164', 'Syslog.RFC3164'])
    expect(hec.records()[0]!.hints).toHaveProperty('fields', { sourcetype: 'linux_secure' })
  })
})

test('raw text is split into lines; the URL says where they come from', async () => {
  const path = '/services/collector/raw/1.0?host=web1&sourcetype=Nginx.Access&source=a%20b&time=1700000000&secret=x'
  expect((await hec.send(path, { body: gzipSync('one\n\ntwo\r\n') })).status).toBe(200)
  const hints = {
    host: 'web1',
    time: '2023-11-14T22:13:20Z',
    logType: 'Nginx.Access',
    fields: { sourcetype: 'Nginx.Access', source: 'a b' },
  }
  expect(hec.records()).toEqual([
    { text: 'one', hints },
    { text: 'two', hints },
  ])
})

test('with a channel, each request gets an id, which is acknowledged from then on, also after a restart', async () => {
  const ids: number[] = []
  for (const path of [EVENT, '/services/collector', '/services/collector/raw?channel=c'])
    ids.push((await hec.send(path, { body: '{"event":1}', headers: path.includes('raw') ? {} : channel })).body.ackId)
  expect(new Set(ids).size).toBe(3)
  const never = Math.max(...ids) + 10_000_000
  const ask = (sender: Shipped) =>
    sender.send('/services/collector/ack', { body: { acks: [...ids, never, 7] }, headers: channel })
  const expected = { acks: { [ids[0]!]: true, [ids[1]!]: true, [ids[2]!]: true, [never]: false, 7: false } }
  expect((await ask(hec)).body).toEqual(expected)
  const restarted = new Shipped((deps) => splunkHec.pushes!(splunkHec.config.parse({ id: 'hec' }), deps))
  restarted.nowMs = NOW_MS + 5
  expect((await ask(restarted)).body).toEqual(expected)
})

test('an acknowledgement is not asked for without a channel, or in another form', async () => {
  expect(await hec.send('/services/collector/ack', { body: { acks: [1] } })).toMatchObject({ status: 400, body: { code: 10 } })
  expect(await hec.send('/services/collector/ack', { body: { acks: ['x'] }, headers: channel })).toMatchObject({ status: 400 })
})

test.each<[string, string, Record<string, string>, number, object]>([
  ['no token', EVENT, { authorization: '' }, 401, { text: 'Token is required', code: 2 }],
  ['a wrong token', EVENT, { authorization: 'Splunk bad' }, 403, { text: 'Invalid token', code: 4 }],
  ['a wrong token for acknowledgements', '/services/collector/ack', { authorization: 'Splunk bad' }, 403, { code: 4 }],
  ['a picture', EVENT, { 'content-type': 'image/png' }, 415, { code: 8 }],
  ['an unknown endpoint', '/services/collector/mint', {}, 404, { code: 8 }],
])('%s is refused', async (_, path, headers, status, body) => {
  expect(await hec.send(path, { body: '{"event":1}', headers })).toMatchObject({ status, body })
  expect(hec.bodies).toEqual([])
})

test('the token may also be the password of basic authentication', async () => {
  const authorization = `Basic ${Buffer.from('x:good').toString('base64')}`
  expect((await hec.send(EVENT, { body: '{"event":1}', headers: { authorization } })).status).toBe(200)
})

test.each([
  ['the source has too much waiting', new RetryLater('full', 2500), '3'],
  ['the disk is full', new CaracalError('storage', 'disk full'), '10'],
])('503 "Server is busy" if %s: senders send it again', async (_, error, retryAfter) => {
  hec.refuse = error
  const answer = await hec.send(EVENT, { body: '{"event":1}' })
  expect(answer).toMatchObject({ status: 503, body: { code: 9 } })
  expect(answer.headers.get('retry-after')).toBe(retryAfter)
})

test('the health endpoint needs no token', async () => {
  const answer = await hec.send('/services/collector/health/1.0', { method: 'GET', headers: { authorization: '' } })
  expect(answer).toMatchObject({ status: 200, body: { text: 'HEC is healthy', code: 17 } })
})
