import { expect, test } from 'vitest'
import { inNetworks } from './networks.ts'

test.each<[string[], string, boolean]>([
  [['10.0.0.0/8'], '10.255.0.1', true],
  [['10.0.0.0/8'], '11.0.0.1', false],
  [['10.0.0.0/8'], '::ffff:10.1.2.3', true],
  [['10.0.0.0/8'], '::ffff:11.1.2.3', false],
  [['192.0.2.7'], '192.0.2.7', true],
  [['192.0.2.7'], '192.0.2.70', false],
  [['2001:db8::/32', '192.0.2.7'], '2001:DB8:0::1', true],
  [['fe80::/10'], 'fe80::1%eth0', true],
  [['2001:db8::1'], '2001:db8::2', false],
  [['0.0.0.0/0'], '203.0.113.9', true],
  [['0.0.0.0/0', '::/0'], '', false],
  [['0.0.0.0/0', '::/0'], 'localhost', false],
])('networks %j contain %j: %s', (cidrs, address, isIn) => {
  expect(inNetworks(cidrs)(address)).toBe(isIn)
})
