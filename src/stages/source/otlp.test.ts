import { gzipSync } from 'node:zlib'
import { beforeEach, expect, test } from 'vitest'
import { RetryLater } from '../../util/errors.ts'
import { field, fixed64, message } from '../../util/protobuf.fixture.ts'
import { otlp } from './otlp.ts'
import { Shipped } from './shipper.fixture.ts'

let otel: Shipped
beforeEach(() => {
  otel = new Shipped((deps) => otlp.pushes!(otlp.config.parse({ id: 'otel' }), deps))
})

const PROTOBUF = { 'content-type': 'application/x-protobuf' }
const text = (stringValue: string) => ({ stringValue })
const asJson = {
  resourceLogs: [
    {
      resource: {
        attributes: [
          { key: 'host.name', value: text('web1') },
          { key: 'log_type', value: text('Custom.App') },
          { key: 'service.name', value: text('shop') },
        ],
      },
      scopeLogs: [
        {
          scope: { name: 'logger', version: '1.2' },
          logRecords: [
            {
              timeUnixNano: '1700000000123456789',
              observedTimeUnixNano: '1700000001000000000',
              severityNumber: 9,
              severityText: 'INFO',
              body: text('user logged in'),
              attributes: [
                { key: 'user', value: text('ann') },
                { key: 'service.name', value: text('login') },
              ],
              traceId: '5b8efff798038103d269b633813fc60c',
              spanId: 'eee19b7ec3c1b174',
              eventName: 'login',
            },
            {
              observedTimeUnixNano: '1700000001000000000',
              body: {
                kvlistValue: {
                  values: [
                    { key: 'n', value: { intValue: '-9223372036854775808' } },
                    { key: 'small', value: { intValue: '7' } },
                    { key: 'ok', value: { boolValue: true } },
                    { key: 'ratio', value: { doubleValue: 0.5 } },
                    { key: 'list', value: { arrayValue: { values: [text('a'), { intValue: '1' }] } } },
                    { key: 'blob', value: { bytesValue: 'AQI=' } },
                  ],
                },
              },
            },
            { attributes: [{ key: 'only', value: text('attributes') }] },
          ],
        },
      ],
    },
  ],
}

const attribute = (number: number, key: string, ...value: readonly Buffer[]) =>
  message(number, field(1, key), message(2, ...value))
const double = Buffer.from([(4 << 3) | 1, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f])
const asProtobuf = message(
  1,
  message(
    1,
    attribute(1, 'host.name', field(1, 'web1')),
    attribute(1, 'log_type', field(1, 'Custom.App')),
    attribute(1, 'service.name', field(1, 'shop')),
  ),
  message(
    2,
    message(1, field(1, 'logger'), field(2, '1.2')),
    message(
      2,
      fixed64(1, 1700000000123456789n),
      fixed64(11, 1700000001000000000n),
      field(2, 9n),
      field(3, 'INFO'),
      message(5, field(1, 'user logged in')),
      attribute(6, 'user', field(1, 'ann')),
      attribute(6, 'service.name', field(1, 'login')),
      field(9, Buffer.from('5b8efff798038103d269b633813fc60c', 'hex')),
      field(10, Buffer.from('eee19b7ec3c1b174', 'hex')),
      field(12, 'login'),
    ),
    message(
      2,
      fixed64(11, 1700000001000000000n),
      message(
        5,
        message(
          6,
          attribute(1, 'n', field(3, -(2n ** 63n))),
          attribute(1, 'small', field(3, 7n)),
          attribute(1, 'ok', field(2, 1n)),
          attribute(1, 'ratio', double),
          attribute(1, 'list', message(5, message(1, field(1, 'a')), message(1, field(3, 1n)))),
          attribute(1, 'blob', field(7, Buffer.from([1, 2]))),
        ),
      ),
    ),
    message(2, attribute(6, 'only', field(1, 'attributes'))),
  ),
)

const SCOPE = { 'otel.scope.name': 'logger', 'otel.scope.version': '1.2' }
const shared = { 'host.name': 'web1', log_type: 'Custom.App', 'service.name': 'shop', ...SCOPE }
const common = { host: 'web1', logType: 'Custom.App' }

test.each<[string, object, string, Record<string, string>]>([
  ['JSON', asJson, 'otlp-json', {}],
  ['protocol buffers', asProtobuf, 'otlp-protobuf', PROTOBUF],
  ['gzip', Uint8Array.from(gzipSync(asProtobuf)), 'otlp-protobuf', { ...PROTOBUF, 'content-encoding': 'gzip' }],
])('the same records in %s become the same records, with attributes as fields', async (_, body, decoding, headers) => {
  const answer = await otel.send('/v1/logs', { body: body instanceof Buffer ? Uint8Array.from(body) : body, headers })
  expect(answer).toMatchObject({ status: 200, body: decoding === 'otlp-json' ? {} : '' })
  expect(otel.bodies[0]!.entry.decoding).toBe(decoding)
  expect(otel.records()).toEqual([
    {
      text: 'user logged in',
      hints: {
        ...common,
        time: '2023-11-14T22:13:20.123456789Z',
        fields: {
          ...shared,
          severity_text: 'INFO',
          severity_number: 9,
          trace_id: '5b8efff798038103d269b633813fc60c',
          span_id: 'eee19b7ec3c1b174',
          event_name: 'login',
          user: 'ann',
          'service.name': 'login',
        },
      },
    },
    {
      text: '{"n":-9223372036854775808,"small":7,"ok":true,"ratio":0.5,"list":["a",1],"blob":"AQI="}',
      hints: { ...common, time: '2023-11-14T22:13:21Z', fields: shared },
    },
    { text: '{"only":"attributes"}', hints: { ...common, fields: shared } },
  ])
})

test('an empty request is a success and stores nothing', async () => {
  expect((await otel.send('/v1/logs', { body: { resourceLogs: [] } })).status).toBe(200)
  expect((await otel.send('/v1/logs', { body: '', headers: PROTOBUF })).status).toBe(200)
  expect(otel.bodies).toEqual([])
})

test('records that are not objects are rejected alone, and counted in the response', async () => {
  const body = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: text('a') }, 7, { body: text('b') }] }] }] }
  expect((await otel.send('/v1/logs', { body })).body).toEqual({
    partialSuccess: { rejectedLogRecords: '1', errorMessage: '1 log records are not objects; the others were taken' },
  })
  expect(otel.texts()).toEqual(['a', 'b'])
})

test.each<[string, object | string, Record<string, string>, number, RegExp]>([
  ['JSON that is cut', '{"resourceLogs":[', {}, 400, /cannot be decoded: not JSON/],
  ['another object', { streams: [] }, {}, 400, /no list resourceLogs/],
  ['protocol buffers that are cut', asProtobuf.subarray(0, 100), PROTOBUF, 400, /ends within a field/],
  ['text', 'hello', { 'content-type': 'text/plain' }, 415, /'text\/plain' is not accepted/],
  ['a wrong token', asJson, { authorization: 'Bearer bad' }, 401, /the token is wrong/],
])('%s is refused as a whole', async (_, body, headers, status, message) => {
  const answer = await otel.send('/v1/logs', { body: body instanceof Buffer ? Uint8Array.from(body) : body, headers })
  expect(answer.status).toBe(status)
  expect(JSON.stringify(answer.body)).toMatch(message)
  expect(otel.bodies).toEqual([])
})

test.each([{}, PROTOBUF])(
  'when there is no room, the response is 429 with Retry-After and a status message (%j)',
  async (headers) => {
    otel.refuse = new RetryLater('the spool is full', 2500)
    const body = 'content-type' in headers ? Uint8Array.from(asProtobuf) : asJson
    const answer = await otel.send('/v1/logs', { body, headers })
    expect(answer.status).toBe(429)
    expect(answer.headers.get('retry-after')).toBe('3')
    if (typeof answer.body === 'object') expect(answer.body).toEqual({ code: 8, message: 'the spool is full' })
    else expect(answer.body).toBe('\b\b\x12\x11the spool is full')
  },
)

test('a few attributes in a resource do not become gigabytes in its records', async () => {
  const resource = { attributes: [{ key: 'large', value: text('x'.repeat(100_000)) }] }
  const logRecords = Array.from({ length: 1000 }, () => ({ body: text('a') }))
  const answer = await otel.send('/v1/logs', { body: { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] } })
  expect(answer.status).toBe(400)
  expect(answer.body.message).toMatch(/attributes times records are more than 64 MiB/)
})

test('values nested without end are refused', async () => {
  let value = field(1, 'x')
  for (let i = 0; i < 5000; i++) value = message(5, message(1, value))
  const body = Uint8Array.from(message(1, message(2, message(2, message(5, value)))))
  expect((await otel.send('/v1/logs', { body, headers: PROTOBUF })).status).toBe(400)
})
