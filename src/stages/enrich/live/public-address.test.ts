import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseIp } from '../../../model/ip.ts'
import { publicOr } from '../../../util/http/addresses.ts'
import { addressOf, isPublic } from './public-address.ts'

const words = new Uint32Array(4)
const isSent = (text: string) => isPublic(parseIp(text, words), words)
const isReachable = publicOr([])

test.each([
  ['8.8.8.8', true],
  ['9.255.255.255', true],
  ['10.0.0.0', false],
  ['11.0.0.0', true],
  ['0.1.2.3', false],
  ['100.63.255.255', true],
  ['100.64.0.0', false],
  ['100.128.0.0', true],
  ['127.0.0.1', false],
  ['169.254.169.254', false],
  ['172.15.255.255', true],
  ['172.31.255.255', false],
  ['172.32.0.0', true],
  ['192.0.2.1', false],
  ['192.167.255.255', true],
  ['192.168.1.1', false],
  ['198.19.255.255', false],
  ['198.51.100.7', false],
  ['203.0.113.9', false],
  ['223.255.255.255', true],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::ffff:8.8.8.8', true],
  ['::ffff:10.0.0.1', false],
  ['::1', false],
  ['64:ff9b::a00:1', false],
  ['fd00::1', false],
  ['fe80::1', false],
  ['ff02::1', false],
  ['2001:4860:4860::8888', true],
  ['2001:db8::1', false],
  ['2002:a00:1::', false],
  ['2001::1', false],
  ['3fff::1', false],
  ['2620:4f:8000::1', false],
  ['2620:4f:9000::1', true],
  ['not an address', false],
])('%s may be sent to a service: %s', (text, expected) => {
  expect(isSent(text)).toBe(expected)
})

test('no address is sent that outgoing requests treat as private', () => {
  const v4 = fc
    .integer({ min: 0, max: 2 ** 32 - 1 })
    .map((value) => [24, 16, 8, 0].map((bits) => (value >>> bits) & 255).join('.'))
  const near = fc.constantFrom(
    '10.0.0.',
    '100.127.255.',
    '172.16.0.',
    '192.0.0.',
    '192.88.99.',
    '198.18.0.',
    '169.254.0.',
    '240.0.0.',
  )
  const edge = fc.tuple(near, fc.nat(255)).map(([start, last]) => start + last)
  const group = fc.nat(0xffff).map((value) => value.toString(16))
  const v6 = fc
    .tuple(
      fc.constantFrom('2001', '2002', '2620', '2a00', '3fff', '64', 'fc00', '::ffff'),
      fc.array(group, { minLength: 7, maxLength: 7 }),
    )
    .map(([first, rest]) => (first.startsWith(':') ? `::ffff:${rest[0]}:${rest[1]}` : [first, ...rest].join(':')))
  fc.assert(
    fc.property(fc.oneof(v4, edge, v6), (text) => {
      if (isSent(text)) expect(isReachable(text)).toBe(true)
    }),
    { numRuns: 20_000, seed: 11 },
  )
})

test('an address is asked for under one spelling', () => {
  for (const spelt of ['2001:DB8:0:0::1', '2001:db8::1', '2001:0db8:0000:0000:0000:0000:0000:0001'])
    expect(addressOf(spelt)).toBe('2001:db8::1')
  for (const spelt of ['1.2.3.4', '::ffff:1.2.3.4', '::FFFF:102:304']) expect(addressOf(spelt)).toBe('1.2.3.4')
  expect(addressOf('255.255.255.255')).toBe('255.255.255.255')
  expect(addressOf('example.com')).toBeUndefined()
})
