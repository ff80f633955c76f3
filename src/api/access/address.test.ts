import type { Context } from 'hono'
import { expect, test } from 'vitest'
import { addressOf } from './address.ts'

const PROXIES = ['127.0.0.1', '10.0.0.0/8', '2001:db8:1::/48']

const CASES: readonly [peer: string, forwarded: string | undefined, client: string, why: string][] = [
  ['192.0.2.9', '203.0.113.5', '192.0.2.9', 'an unknown peer is not believed'],
  ['127.0.0.1', undefined, '127.0.0.1', 'a proxy that names nobody'],
  ['127.0.0.1', '203.0.113.5', '203.0.113.5', 'a proxy'],
  ['::ffff:127.0.0.1', '203.0.113.5', '203.0.113.5', 'a proxy over a socket for both protocols'],
  ['127.0.0.1', '1.1.1.1, 203.0.113.5', '203.0.113.5', 'what the sender invents comes first'],
  ['127.0.0.1', '203.0.113.5, 10.1.2.3', '203.0.113.5', 'two proxies'],
  ['127.0.0.1', '10.9.9.9, 10.1.2.3', '10.9.9.9', 'a sender in the range of the proxies'],
  ['127.0.0.1', '203.0.113.5:4711', '203.0.113.5', 'with a port'],
  ['127.0.0.1', '[2001:db8::5]:4711', '2001:db8::5', 'IPv6 with a port'],
  ['2001:db8:1::1', '2001:db8::5', '2001:db8::5', 'a proxy over IPv6'],
  ['127.0.0.1', '203.0.113.5, unknown', '127.0.0.1', 'a trail that ends'],
  ['127.0.0.1', '203.0.113.5, <script>', '127.0.0.1', 'what is not an address'],
  ['127.0.0.1', `${'9.9.9.9, '.repeat(500)}10.0.0.1`, '9.9.9.9', 'a long header'],
]

test.each(CASES)('from %s with %s: %s (%s)', (remoteAddress, forwarded, client) => {
  const context = { env: { incoming: { socket: { remoteAddress } } }, req: { header: () => forwarded } } as unknown as Context
  expect(addressOf(context, PROXIES)).toBe(client)
})

test('without trusted proxies, nothing is believed', () => {
  const context = { env: { incoming: { socket: { remoteAddress: '127.0.0.1' } } }, req: { header: () => '203.0.113.5' } }
  expect(addressOf(context as unknown as Context, [])).toBe('127.0.0.1')
})
