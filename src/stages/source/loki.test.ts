import { beforeEach, expect, test } from 'vitest'
import { RetryLater } from '../../util/errors.ts'
import { field, message } from '../../util/protobuf.fixture.ts'
import { loki } from './loki.ts'
import { Shipped } from './shipper.fixture.ts'

const PUSH = '/loki/api/v1/push'
const PROTOBUF = { 'content-type': 'application/x-protobuf' }
let promtail: Shipped
beforeEach(() => {
  promtail = new Shipped((deps) => loki.pushes!(loki.config.parse({ id: 'promtail', max_body_bytes: 100_000 }), deps))
})

/** Snappy's block format without any compression: literals of up to 60 bytes. */
function snap(bytes: Buffer, announced = bytes.length): Uint8Array<ArrayBuffer> {
  const parts: Buffer[] = []
  for (let rest = announced; ; rest = Math.floor(rest / 128)) {
    parts.push(Buffer.from([(rest % 128) | (rest >= 128 ? 0x80 : 0)]))
    if (rest < 128) break
  }
  for (let at = 0; at < bytes.length; at += 60) {
    const piece = bytes.subarray(at, at + 60)
    parts.push(Buffer.from([(piece.length - 1) << 2]), piece)
  }
  return Uint8Array.from(Buffer.concat(parts))
}

const time = message(1, field(1, 1_700_000_000n), field(2, 123_456_789n))
const asProtobuf = Buffer.concat([
  message(
    1,
    field(1, '{app="web", log_type="Nginx.Access", path="C:\\\\logs \\"x\\""}'),
    message(2, time, field(2, 'GET /')),
    message(2, time, field(2, '{"a":1}'), message(3, field(1, 'trace_id'), field(2, 'abc'))),
  ),
  message(1, field(1, '{}'), message(2, time, field(2, 'two\nlines'))),
])
const nanos = '1700000000123456789'
const labels = { app: 'web', log_type: 'Nginx.Access', path: 'C:\\logs "x"' }
const asJson = {
  streams: [
    {
      stream: labels,
      values: [
        [nanos, 'GET /'],
        [nanos, '{"a":1}', { trace_id: 'abc' }],
      ],
    },
    { stream: {}, values: [[nanos, 'two\nlines']] },
  ],
}
const hints = { time: '2023-11-14T22:13:20.123456789Z', logType: 'Nginx.Access' }

test.each<[string, object, Record<string, string>]>([
  ['JSON', asJson, {}],
  ['protocol buffers', snap(asProtobuf), PROTOBUF],
  ['protocol buffers with a header for their compression', snap(asProtobuf), { ...PROTOBUF, 'content-encoding': 'snappy' }],
])('the same lines in %s become the same records, with labels as fields', async (_, body, headers) => {
  expect(await promtail.send(PUSH, { body, headers })).toMatchObject({ status: 204, body: '' })
  expect(promtail.records()).toEqual([
    { text: 'GET /', hints: { ...hints, fields: labels } },
    { text: '{"a":1}', hints: { ...hints, fields: { ...labels, trace_id: 'abc' } } },
    { text: 'two\nlines', hints: { time: hints.time, fields: {} } },
  ])
})

test('the tenant becomes a field', async () => {
  await promtail.send(PUSH, { body: { streams: [{ stream: {}, values: [[nanos, 'a']] }] }, headers: { 'x-scope-orgid': 'a&b' } })
  expect(promtail.records()).toEqual([{ text: 'a', hints: { time: hints.time, fields: { tenant: 'a&b' } } }])
})

test.each<[string, object | string, Record<string, string>, number, RegExp]>([
  ['JSON that is cut', '{"streams":[', {}, 400, /not JSON/],
  ['no streams', {}, {}, 400, /no list streams/],
  [
    'a time that is a number',
    { streams: [{ stream: {}, values: [[1, 'a']] }] },
    {},
    400,
    /streams\[0\]\.values\[0\] is not a time/,
  ],
  ['a line that is an object', { streams: [{ stream: {}, values: [[nanos, {}]] }] }, {}, 400, /streams\[0\]\.values\[0\]/],
  ['protocol buffers without compression', Uint8Array.from(asProtobuf), PROTOBUF, 400, /snappy/],
  ['compressed data that is cut', snap(asProtobuf).subarray(0, 70), PROTOBUF, 400, /snappy/],
  ['a length that is too large', snap(asProtobuf, 2 ** 31), PROTOBUF, 413, /larger than 100000 bytes/],
  ['malformed labels', snap(message(1, field(1, '{app=web}'), message(2, time, field(2, 'x')))), PROTOBUF, 400, /labels/],
  ['text', 'hello', { 'content-type': 'text/plain' }, 415, /not accepted/],
  ['a wrong token', asJson, { authorization: 'Basic eDpiYWQ=' }, 401, /token is wrong/],
])('%s is refused, and nothing is stored', async (_, body, headers, status, message) => {
  const answer = await promtail.send(PUSH, { body, headers })
  expect(answer.status).toBe(status)
  expect(answer.body).toMatch(message)
  expect(promtail.bodies).toEqual([])
})

test('when there is no room, the response is 429 with Retry-After', async () => {
  promtail.refuse = new RetryLater('the spool is full', 2500)
  const answer = await promtail.send(PUSH, { body: asJson })
  expect(answer.status).toBe(429)
  expect(answer.headers.get('retry-after')).toBe('3')
})

test('the token may be the password of basic authentication', async () => {
  expect((await promtail.send(PUSH, { body: asJson, headers: { authorization: 'Basic eDpnb29k' } })).status).toBe(204)
})
