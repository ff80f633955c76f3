import { expect, test } from 'vitest'
import { nginxError } from './nginx-error.ts'

const HEAD = '2024/04/19 12:00:00 [error] 812#813: *42 '

test('a message about an upstream, in the order that nginx writes it', () => {
  const text = `${HEAD}upstream timed out, client: ::1, server: , request: "GET /a, b HTTP/1.1", subrequest: "/auth", upstream: "http://10.0.0.1:80/", host: "example.com", referrer: "https://example.com/, x"`
  expect(nginxError.parse(text)).toEqual({
    time: '2024/04/19 12:00:00',
    level: 'error',
    pid: 812,
    tid: 813,
    connection: 42,
    message: 'upstream timed out',
    client: '::1',
    request: 'GET /a, b HTTP/1.1',
    subrequest: '/auth',
    upstream: 'http://10.0.0.1:80/',
    host: 'example.com',
    referrer: 'https://example.com/, x',
  })
})

test('an address that the client may have made up is not taken for its own', () => {
  const text = `${HEAD}open() "/srv/www/, client: 198.51.100.66, server: x" failed, client: 192.0.2.10, server: x, request: "GET / HTTP/1.1"`
  const record = nginxError.parse(text)
  expect(record).not.toHaveProperty('client')
  expect(record).toMatchObject({ message: text.slice(HEAD.length) })
})

test('a message may be empty', () => {
  expect(nginxError.parse(HEAD)).toMatchObject({ message: '' })
})

test.each(['', 'prose', '2024/04/19 [error] 1#1: no time', '2024/04/19 12:00:00 error 1#1: no brackets'])(
  'refuses %j',
  (text) => {
    expect(nginxError.parse(text)).toBeUndefined()
  },
)
