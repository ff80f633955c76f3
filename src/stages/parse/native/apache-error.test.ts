import { expect, test } from 'vitest'
import { apacheError } from './apache-error.ts'

const OLD = '[Fri Apr 19 12:00:00 2024] [error] '
const NEW = '[Fri Apr 19 12:00:00.123456 2024] [core:error] [pid 10:tid 14] '

test.each([
  [`${OLD}[client 192.0.2.1] File does not exist: /srv/a`, { client: '192.0.2.1', message: 'File does not exist: /srv/a' }],
  [`${OLD}[client 2001:db8::80da] x`, { client: '2001:db8::80da', message: 'x' }],
  [`${NEW}[client 192.0.2.1:50229] x`, { client: '192.0.2.1', client_port: 50229 }],
  [`${NEW}[remote 2001:db8::1:50229] x`, { client: '2001:db8::1', client_port: 50229 }],
  [`${NEW}[client ::1:37752] [client ::1] ModSecurity: x`, { client: '::1', client_port: 37752, message: 'ModSecurity: x' }],
  [`${NEW}[client [2001:db8::1]:50229] x`, { client: '2001:db8::1', client_port: 50229, message: 'x' }],
  [`${NEW}[client web.example.net:80] x`, { client: 'web.example.net', client_port: 80 }],
  [
    `${NEW}(70014)End of file found: [client 192.0.2.1:17036] AH02006: SSL handshake stopped`,
    {
      system_error: 70014,
      system_error_text: 'End of file found',
      client: '192.0.2.1',
      error_code: 'AH02006',
      message: 'SSL handshake stopped',
    },
  ],
  [`${NEW}(2)No such file: x`, { system_error: 2, message: '(2)No such file: x' }],
  [`${NEW}[client 192.0.2.1:1] a, referer: b, referer: https://c/`, { message: 'a, referer: b', referer: 'https://c/' }],
  [String.raw`${OLD}[client 192.0.2.1] File does not exist: /srv/\"\xc3\xa9\"`, { message: 'File does not exist: /srv/"é"' }],
])('%s', (text, fields) => {
  expect(apacheError.parse(text)).toMatchObject(fields)
})

test('a level without module', () => {
  const record = apacheError.parse('[Fri Apr 19 12:00:00 2024] [:error] [pid 3790] [client 192.0.2.1:46301] x')
  expect(record).toMatchObject({ level: 'error', pid: 3790, message: 'x' })
  expect(record).not.toHaveProperty('module')
})

test.each(['', 'prose', '[Fri Apr 19 12:00:00 2024] no level', '[19/Apr/2024:12:00:00 +0000] [error] x', '["a", "b"]'])(
  'refuses %j',
  (text) => {
    expect(apacheError.parse(text)).toBeUndefined()
  },
)
