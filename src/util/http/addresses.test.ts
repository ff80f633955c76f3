import type { LookupAddress, lookup } from 'node:dns'
import { describe, expect, test } from 'vitest'
import { guardedLookup, publicOr } from './addresses.ts'

test.each([
  ['loopback', '127.0.0.1', false],
  ['loopback', '::1', false],
  ['this host', '0.0.0.0', false],
  ['private', '10.1.2.3', false],
  ['private', '172.31.0.1', false],
  ['private', '192.168.1.1', false],
  ['just beside private', '172.32.0.1', true],
  ['link-local, cloud metadata', '169.254.169.254', false],
  ['carrier-grade NAT', '100.64.0.1', false],
  ['documentation', '192.0.2.1', false],
  ['multicast', '224.0.0.1', false],
  ['broadcast', '255.255.255.255', false],
  ['public', '9.9.9.9', true],
  ['public', '2620:fe::9', true],
  ['unique local', 'fd00::1', false],
  ['link-local with a zone', 'fe80::1%eth0', false],
  ['site-local', 'fec0::1', false],
  ['IPv4 in IPv6, private', '::ffff:10.0.0.1', false],
  ['IPv4 in IPv6, public', '::ffff:9.9.9.9', true],
  ['IPv4-compatible', '::10.0.0.1', false],
  ['NAT64 of a private address', '64:ff9b::a00:1', false],
  ['NAT64 of a public address', '64:ff9b::909:909', true],
  ['local NAT64', '64:ff9b:1::909:909', false],
  ['6to4', '2002:a00:1::1', false],
  ['Teredo', '2001:0:a00::1', false],
])('%s: %s is public: %s', (_, address, isPublic) => {
  expect(publicOr([])(address)).toBe(isPublic)
})

test('addresses in the given ranges are permitted in addition to public ones', () => {
  const isAllowed = publicOr(['10.0.0.0/8', 'fd00::/8', '192.168.1.5'])
  expect(['10.255.0.1', '::ffff:10.0.0.1', 'fd12::1', '192.168.1.5', '9.9.9.9'].filter(isAllowed)).toHaveLength(5)
  expect(['11.0.0.1', '192.168.1.6', 'fc00::1', '127.0.0.1'].map(isAllowed)).toEqual([true, false, false, false])
})

describe('a lookup', () => {
  const found = (...addresses: string[]) =>
    ((_: string, __: object, callback: (error: null, all: LookupAddress[]) => void) =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )) as unknown as typeof lookup
  const resolved = (all: boolean, ...addresses: string[]) =>
    new Promise((resolve) =>
      guardedLookup(publicOr([]), found(...addresses))('x.test', { all }, (error, address) => resolve(error ?? address)),
    )

  test('yields only the permitted addresses', async () => {
    expect(await resolved(true, '10.0.0.1', '9.9.9.9', '::1', '2620:fe::9')).toEqual([
      { address: '9.9.9.9', family: 4 },
      { address: '2620:fe::9', family: 6 },
    ])
    expect(await resolved(false, '10.0.0.1', '9.9.9.9')).toBe('9.9.9.9')
  })

  test.each([true, false])('that yields only private addresses fails', async (all) => {
    expect(await resolved(all, '10.0.0.1', '127.0.0.1')).toMatchObject({ failure: 'private_address' })
  })
})
