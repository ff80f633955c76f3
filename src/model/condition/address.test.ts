import { expect, test } from 'vitest'
import { addressTest, networkTest } from './address.ts'

// From the IANA special-purpose address registries.
test.each([
  ['8.8.8.8', 'public'],
  ['9.255.255.255', 'public'],
  ['10.0.0.0', 'private'],
  ['10.255.255.255', 'private'],
  ['11.0.0.0', 'public'],
  ['127.0.0.1', 'private'],
  ['169.254.169.254', 'private'],
  ['172.15.255.255', 'public'],
  ['172.16.0.0', 'private'],
  ['172.31.255.255', 'private'],
  ['172.32.0.0', 'public'],
  ['192.168.1.1', 'private'],
  ['192.0.0.8', 'private'],
  ['192.0.0.9', 'public'],
  ['198.19.255.255', 'private'],
  ['203.0.113.7', 'private'],
  ['224.0.0.1', 'public'],
  ['255.255.255.255', 'private'],
  ['0.0.0.0', 'private'],
  ['100.64.0.1', 'neither'],
  ['100.127.255.255', 'neither'],
  ['100.128.0.0', 'public'],
  ['::', 'private'],
  ['::1', 'private'],
  ['::2', 'public'],
  ['::ffff:10.0.0.1', 'private'],
  ['::ffff:8.8.8.8', 'public'],
  ['2001:4860:4860::8888', 'public'],
  ['2001:db8::1', 'private'],
  ['2001:20::1', 'public'],
  ['2001:10::1', 'private'],
  ['fc00::1', 'private'],
  ['fdff::1', 'private'],
  ['fe80::1', 'private'],
  ['fec0::1', 'public'],
  ['10.0.0.256', 'neither'],
  ['10.0.0.0/8', 'neither'],
  ['example.com', 'neither'],
  ['', 'neither'],
])('%s is %s', (text, expected) => {
  const kinds = (['public', 'private'] as const).filter((kind) => addressTest(kind)(text))
  expect(kinds.length > 0 ? kinds : ['neither']).toEqual([expected])
})

test('a network only contains addresses of its own family', () => {
  const inside = networkTest(['10.1.0.0/16', '2001:db8::/33', '192.0.2.7'])
  const texts = [
    '10.1.255.255',
    '10.2.0.0',
    '::ffff:10.1.0.1',
    '2001:db8:7fff::1',
    '2001:db8:8000::1',
    '192.0.2.7',
    '192.0.2.8',
    'x',
  ]
  expect(texts.filter(inside)).toEqual(['10.1.255.255', '::ffff:10.1.0.1', '2001:db8:7fff::1', '192.0.2.7'])
})
