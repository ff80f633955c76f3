import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, test } from 'vitest'
import { isIp, parseIp, parsePrefix } from './ip.ts'

const words = new Uint32Array(4)
const seed = 4848

describe('parseIp', () => {
  const cases: [text: string, family: 0 | 4 | 6, words: number[]][] = [
    ['0.0.0.0', 4, [0]],
    ['255.255.255.255', 4, [0xffffffff]],
    ['192.0.2.1', 4, [0xc0000201]],
    ['1.2.3', 0, []],
    ['1.2.3.4.5', 0, []],
    ['1.2.3.256', 0, []],
    ['1.2.3.04', 0, []],
    ['1.2.3.', 0, []],
    ['.1.2.3', 0, []],
    ['1..2.3', 0, []],
    [' 1.2.3.4', 0, []],
    ['1.2.3.4 ', 0, []],
    ['1.2.3.4/32', 0, []],
    ['0x1.2.3.4', 0, []],
    ['16909060', 0, []],
    ['::', 6, [0, 0, 0, 0]],
    ['::1', 6, [0, 0, 0, 1]],
    ['1::', 6, [0x10000, 0, 0, 0]],
    ['2001:db8::1', 6, [0x20010db8, 0, 0, 1]],
    ['2001:DB8::A:b', 6, [0x20010db8, 0, 0, 0x000a000b]],
    ['1:2:3:4:5:6:7:8', 6, [0x10002, 0x30004, 0x50006, 0x70008]],
    ['1:2:3:4:5:6:7::', 6, [0x10002, 0x30004, 0x50006, 0x70000]],
    ['::2:3:4:5:6:7:8', 6, [2, 0x30004, 0x50006, 0x70008]],
    ['::ffff:192.0.2.1', 4, [0xc0000201]],
    ['::FFFF:c000:0201', 4, [0xc0000201]],
    ['64:ff9b::192.0.2.1', 6, [0x64ff9b, 0, 0, 0xc0000201]],
    ['1:2:3:4:5:6:1.2.3.4', 6, [0x10002, 0x30004, 0x50006, 0x01020304]],
    ['1:2:3:4:5:6:7:1.2.3.4', 0, []],
    ['1:2:3:4:5:6:7', 0, []],
    ['1:2:3:4:5:6:7:8:9', 0, []],
    ['1:2:3:4:5:6:7:8::', 0, []],
    ['::1::', 0, []],
    [':1', 0, []],
    ['1:', 0, []],
    [':::', 0, []],
    ['::12345', 0, []],
    ['::g', 0, []],
    ['fe80::1%eth0', 0, []],
    ['[::1]', 0, []],
    ['', 0, []],
    ['-', 0, []],
  ]
  test.each(cases)('%s has family %i', (text, family, expected) => {
    expect(parseIp(text, words)).toBe(family)
    expect(isIp(text)).toBe(family !== 0)
    expect([...words.slice(0, expected.length)]).toEqual(expected)
  })

  test('a megabyte of text is not an address', () => {
    expect([isIp('a'.repeat(1_000_000)), isIp(':'.repeat(1_000_000)), isIp('1.'.repeat(500_000))]).toEqual([false, false, false])
  })

  test('every IPv4 address round-trips', () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        const value = text.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
        expect([parseIp(text, words), words[0]]).toEqual([4, value])
      }),
      { seed },
    )
  })

  // The text goes through URL first because ipaddr.js takes the deprecated ::1.2.3.4 for ::ffff:1.2.3.4.
  test('every IPv6 address is parsed as URL and ipaddr.js parse it', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const address = ipaddr.IPv6.parse(new URL(`http://[${text}]`).hostname.slice(1, -1))
        const isMapped = address.isIPv4MappedAddress()
        const bytes = isMapped ? address.toIPv4Address().toByteArray() : address.toByteArray()
        expect(parseIp(text, words)).toBe(isMapped ? 4 : 6)
        expect([...new Uint8Array(words.slice(0, isMapped ? 1 : 4).map(swap).buffer)]).toEqual(bytes)
      }),
      { seed, numRuns: 2000 },
    )
  })

  test('no text of address characters throws, and what is accepted ipaddr.js accepts too', () => {
    const text = fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF.:/%'), maxLength: 48 })
    fc.assert(
      fc.property(text, (candidate) => {
        if (isIp(candidate)) expect(ipaddr.isValid(candidate)).toBe(true)
      }),
      { seed, numRuns: 5000 },
    )
  })
})

describe('parsePrefix', () => {
  const cases: [text: string, prefix: unknown][] = [
    ['10.0.0.0/8', { family: 4, bits: 8, words: [0x0a000000] }],
    ['10.1.2.3/8', { family: 4, bits: 8, words: [0x0a000000] }],
    ['10.1.2.3', { family: 4, bits: 32, words: [0x0a010203] }],
    ['0.0.0.0/0', { family: 4, bits: 0, words: [0] }],
    ['10.0.0.0/33', undefined],
    ['10.0.0.0/', undefined],
    ['10.0.0.0/-1', undefined],
    ['10.0.0.0/8/8', undefined],
    ['10.0.0.0/0008', undefined],
    ['2001:db8:ffff::/32', { family: 6, bits: 32, words: [0x20010db8, 0, 0, 0] }],
    ['::1', { family: 6, bits: 128, words: [0, 0, 0, 1] }],
    ['::/0', { family: 6, bits: 0, words: [0, 0, 0, 0] }],
    ['::/129', undefined],
    ['::ffff:10.1.0.0/104', { family: 4, bits: 8, words: [0x0a000000] }],
    ['::ffff:10.1.0.0', { family: 4, bits: 32, words: [0x0a010000] }],
    ['::ffff:0:0/95', { family: 6, bits: 95, words: [0, 0, 0xfffe, 0] }],
    ['example.com', undefined],
  ]
  test.each(cases)('%s', (text, prefix) => expect(parsePrefix(text)).toEqual(prefix))
})

/** Words are compared as bytes in network order, whatever the machine's. */
function swap(word: number): number {
  return ((word >>> 24) | ((word >>> 8) & 0xff00) | ((word << 8) & 0xff0000) | (word << 24)) >>> 0
}
