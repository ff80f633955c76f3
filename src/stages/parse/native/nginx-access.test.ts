import { expect, test } from 'vitest'
import { nginxAccess } from './nginx-access.ts'

const TIME = '[19/Apr/2024:12:00:00 +0200]'

test.each([
  [
    'a user name with a blank',
    `192.0.2.1 - jane doe ${TIME} "GET / HTTP/2.0" 401 - "-" "-"`,
    { remoteAddr: '192.0.2.1', remoteUser: 'jane doe', status: 401 },
  ],
  [
    'a user name that looks like a time',
    `192.0.2.1 - [x] ${TIME} "GET / HTTP/2.0" 401 0 "-" "-"`,
    { remoteUser: '[x]', time: '2024-04-19T12:00:00+02:00' },
  ],
  [
    'the host before the address',
    `www.example.com 192.0.2.1 - - ${TIME} "GET / HTTP/1.1" 200 5 "-" "-"`,
    { host: 'www.example.com' },
  ],
  ['an IPv6 client', `2001:db8::1 - - ${TIME} "GET / HTTP/1.1" 200 5 "-" "-"`, { remoteAddr: '2001:db8::1' }],
  [
    'the format `main`, with the address that a proxy forwards for',
    `192.0.2.1 - - ${TIME} "GET / HTTP/1.1" 200 5 "-" "-" "203.0.113.9"`,
    { httpXForwardedFor: '203.0.113.9' },
  ],
  [
    'fields that only this site has',
    `192.0.2.1 - - ${TIME} "GET / HTTP/1.1" 200 5 "-" "-" 0.005 "10.0.0.1:80"`,
    { additional: '0.005 "10.0.0.1:80"' },
  ],
  [
    'quotes that were not escaped',
    `192.0.2.1 - - ${TIME} "GET /?q=alert("x") HTTP/1.1" 404 5 "-" "-"`,
    { requestUri: '/?q=alert("x")', status: 404 },
  ],
  [
    'a line that was cut off in the last value',
    `192.0.2.1 - - ${TIME} "GET / HTTP/1.1" 200 5 "-" "Mozilla`,
    { httpUserAgent: 'Mozilla' },
  ],
  ['a request without URI', `192.0.2.1 - - ${TIME} "HELP" 400 157 "-" "-"`, { request: 'HELP', requestMethod: undefined }],
  [
    'a request without protocol',
    `192.0.2.1 - - ${TIME} "GET /a" 200 157 "-" "-"`,
    { requestUri: '/a', serverProtocol: undefined },
  ],
  ['an empty request', `192.0.2.1 - - ${TIME} "" 400 0 "-" "-"`, { request: undefined, status: 400 }],
])('%s', (_, text, fields) => {
  expect(nginxAccess.parse(text)).toMatchObject(fields)
})

test.each([
  ['the format `common`', `192.0.2.1 - - ${TIME} "GET / HTTP/1.1" 200 5`],
  ['a time that is not one', '192.0.2.1 - - [19/Foo/2024:12:00:00 +0200] "GET / HTTP/1.1" 200 5 "-" "-"'],
  ['a status that is not a number', `192.0.2.1 - - ${TIME} "GET / HTTP/1.1" OK 5 "-" "-"`],
  ['no client', `${TIME} "GET / HTTP/1.1" 200 5 "-" "-"`],
  ['prose', 'prose that is no log at all'],
  ['nothing', ''],
])('refuses %s', (_, text) => {
  expect(nginxAccess.parse(text)).toBeUndefined()
})
