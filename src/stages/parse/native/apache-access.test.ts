import { expect, test } from 'vitest'
import { apacheCombined, apacheCommon } from './apache-access.ts'

const COMMON = '203.0.113.7 - - [19/Apr/2024:12:00:00 +0000] "GET / HTTP/1.1" 200 2326'

test.each([
  ['host and port', 'www.example.com:443 ', { virtual_host: 'www.example.com', virtual_host_port: 443 }],
  ['a host alone', 'www.example.com ', { virtual_host: 'www.example.com' }],
])('%s before the client', (_, prefix, fields) => {
  expect(apacheCommon.parse(`${prefix}${COMMON}`)).toMatchObject({ remote_host_ip_address: '203.0.113.7', ...fields })
})

test('a client that identd and a password named', () => {
  const text = 'host.example.net frank f. [19/Apr/2024:12:00:00 +0000] "GET / HTTP/1.1" 200 2326'
  expect(apacheCommon.parse(text)).toMatchObject({
    remote_host_ip_address: 'host.example.net',
    client_identity_rfc_1413: 'frank',
    request_user: 'f.',
  })
})

test('a response without body has no size', () => {
  expect(apacheCommon.parse(COMMON.replace('200 2326', '304 -'))).not.toHaveProperty('response_size')
})

test('a request that is not HTTP is kept as a whole', () => {
  const record = apacheCommon.parse(COMMON.replace('GET / HTTP/1.1', String.raw`\x16\x03\x01`))
  expect(record).toMatchObject({ request: String.raw`\x16\x03\x01`, response_status: 200 })
  expect(record).not.toHaveProperty('request_method')
})

test('bytes in and out of `combinedio`', () => {
  expect(apacheCombined.parse(`${COMMON} "-" "curl/8.5.0" 341 5120`)).toMatchObject({
    user_agent: 'curl/8.5.0',
    additional: '341 5120',
  })
})

test('each of the two formats refuses lines of the other', () => {
  expect(apacheCommon.parse(`${COMMON} "-" "-"`)).toBeUndefined()
  expect(apacheCombined.parse(COMMON)).toBeUndefined()
})
