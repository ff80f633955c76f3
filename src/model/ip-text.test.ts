import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addressNumber, networksOf } from './ip-range.ts'
import { addressRange, addressText, textsOf } from './ip-text.ts'

const ipv4 = fc.nat(0xffffffff).map((value) => ({ family: 4 as const, value: BigInt(value) }))
const ipv6 = fc
  .array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  .map((groups) => ({ family: 6 as const, value: groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n) }))
  // Mapped addresses are IPv4 addresses.
  .filter(({ value }) => value >> 32n !== 0xffffn)

test('an address’s text is read as the same address', () => {
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6), ({ family, value }) => {
      expect(addressNumber(addressText(family, value))).toEqual({ family, value })
    }),
  )
})

test('the texts of a network find each of its addresses, and no other IPv4 address', () => {
  fc.assert(
    fc.property(
      fc.oneof(ipv4, ipv6),
      fc.nat(128),
      fc.oneof(ipv4, ipv6),
      fc.boolean(),
      ({ family, value }, length, other, isIn) => {
        const width = family === 4 ? 32 : 128
        const bits = family === 4 ? length % 33 : length
        const range = addressRange(`${addressText(family, value)}/${bits}`)!
        const one = isIn ? range.first + ((value ^ other.value) % (range.last - range.first + 1n)) : other.value
        const text = isIn ? addressText(family, one) : addressText(other.family, other.value)
        const { exact, prefixes } = textsOf(range)
        const isFound = exact.includes(text) || prefixes.some((prefix) => text.startsWith(prefix))
        const isInside = (isIn || other.family === family) && one >= range.first && one <= range.last
        if (isInside) expect(isFound).toBe(true)
        else if (family === 4 && addressNumber(text)!.family === 4) expect(isFound).toBe(false)
        expect(networksOf(range)).toHaveLength(1)
        expect(range.last - range.first + 1n).toBe(1n << BigInt(width - bits))
      },
    ),
  )
})

test('texts are few and exact', () => {
  const texts = (text: string) => textsOf(addressRange(text)!)
  expect(texts('192.0.2.7')).toEqual({ exact: ['192.0.2.7', '::ffff:192.0.2.7'], prefixes: [] })
  expect(texts('192.0.2.0/24')).toEqual({ exact: [], prefixes: ['192.0.2.', '::ffff:192.0.2.'] })
  expect(texts('10.16.0.0/15').prefixes).toEqual(['10.16.', '::ffff:10.16.', '10.17.', '::ffff:10.17.'])
  expect(texts('192.0.2.6-192.0.2.8').exact).toEqual(['192.0.2.6', '192.0.2.7', '192.0.2.8'].flatMap((t) => [t, `::ffff:${t}`]))
  expect(texts('2001:db8::/32')).toEqual({ exact: [], prefixes: ['2001:db8:'] })
  expect(texts('2001:DB8:0::7')).toEqual({ exact: ['2001:db8::7'], prefixes: [] })
})
