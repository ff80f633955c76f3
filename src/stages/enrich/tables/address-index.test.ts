import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, test } from 'vitest'
import { createSlice } from '../../../util/slice.ts'
import { AddressBatch } from './address-batch.ts'
import { AddressIndexBuilder } from './address-index.ts'
import { MAX_KEYS } from './row-groups.ts'

const seed = 4848

async function indexOf(keys: readonly string[], networks = true) {
  const builder = new AddressIndexBuilder(networks)
  const accepted = keys.map((key, i) => builder.add(key, i))
  return { index: await builder.build(createSlice()), accepted }
}

describe('the longest network wins', () => {
  const keys = [
    '10.0.0.0/8',
    '10.1.0.0/16',
    '10.1.2.3',
    '0.0.0.0/0',
    '255.255.255.0/24',
    '2001:db8::/32',
    '2001:db8::1',
    '::/0',
    '::ffff:192.0.2.0/120',
  ]
  const cases: [address: string, key: string | undefined][] = [
    ['10.1.2.3', '10.1.2.3'],
    ['10.1.2.4', '10.1.0.0/16'],
    ['10.1.2.2', '10.1.0.0/16'],
    ['10.2.0.0', '10.0.0.0/8'],
    ['10.255.255.255', '10.0.0.0/8'],
    ['11.0.0.0', '0.0.0.0/0'],
    ['9.255.255.255', '0.0.0.0/0'],
    ['0.0.0.0', '0.0.0.0/0'],
    ['255.255.255.255', '255.255.255.0/24'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['192.0.2.77', '::ffff:192.0.2.0/120'],
    ['2001:db8::1', '2001:db8::1'],
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8::2', '2001:db8::/32'],
    ['2001:db9::', '::/0'],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '::/0'],
    ['example.com', undefined],
    ['', undefined],
  ]
  test.each(cases)('%s finds %s', async (address, key) => {
    const { index } = await indexOf(keys)
    expect(keys[index.find(address)]).toBe(key)
  })
})

test('an index without keys finds nothing', async () => {
  const { index } = await indexOf([])
  expect([index.find('1.2.3.4'), index.find('::1'), index.size]).toEqual([-1, -1, 0])
})

test('the last of equal keys wins, and the size counts each network once, however it is spelt', async () => {
  const { index } = await indexOf(['10.0.0.0/8', '10.9.9.9/8', '2001:db8::1', '2001:0db8::0001'])
  expect([index.find('10.3.3.3'), index.find('2001:db8::1'), index.size]).toEqual([1, 3, 2])
})

test('an index of addresses refuses networks', async () => {
  const { accepted, index } = await indexOf(['10.0.0.0/8', '10.0.0.1', '10.0.0.1/32'], false)
  expect(accepted).toEqual([false, true, false])
  expect(index.size).toBe(1)
})

test.each([
  ['IPv4', (i: number) => `10.${i >>> 16}.${(i >>> 8) & 255}.${i & 255}/${24 + (i % 9)}`],
  ['IPv6', (i: number) => `2001:db8:${(i * 7919) & 0xffff}::${i & 0xffff}/${100 + (i % 29)}`],
])('every step of building an index of %s yields to other work', async (_, keyOf) => {
  const size = 1 << 17
  const builder = new AddressIndexBuilder(true)
  for (let i = 0; i < size; i++) builder.add(keyOf(i), i)
  let asked = 0
  await builder.build(() => void asked++)
  // Each pass of the sort, the sweep, and each walk over the entries.
  expect(asked).toBeGreaterThan(8 * (size / 0x2000))
})

describe('a linear scan with ipaddr.js finds the same', () => {
  // The leading bits vary little, so networks nest, touch and repeat.
  const v4 = fc
    .tuple(fc.nat({ max: 15 }), fc.nat({ max: 3 }), fc.constantFrom(0, 1, 128, 255), fc.constantFrom(0, 7, 255))
    .map((parts) => parts.join('.'))
  const group = fc.constantFrom('0', '1', '8000', 'ffff')
  const v6 = fc.tuple(group, group, group, group, group, group, group, group).map((parts) => parts.join(':'))
  const v4Prefix = fc.tuple(v4, fc.nat({ max: 32 })).map(([address, bits]) => `${address}/${bits}`)
  const v6Prefix = fc.tuple(v6, fc.nat({ max: 128 })).map(([address, bits]) => `${address}/${bits}`)

  test.each([
    ['IPv4', v4, v4Prefix],
    ['IPv6', v6, v6Prefix],
  ] as const)('%s', async (_, address, prefix) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(prefix, address), { maxLength: 40 }),
        fc.array(address, { minLength: 20, maxLength: 20 }),
        async (keys, asked) => {
          const { index } = await indexOf(keys)
          expect(asked.map((one) => index.find(one))).toEqual(asked.map((one) => scan(keys, one)))
        },
      ),
      { seed, numRuns: 200 },
    )
  })
})

/** Thousands of networks of all lengths that share a few leading words, so they nest and the trees are deep. */
describe('among thousands of networks a linear scan finds the same, one by one and in a batch', () => {
  const random = fc.integer({ min: 0, max: 0xffff })
  const head = fc.constantFrom('2001:db8', '2001:db9', 'fe80:0', '0:0', 'ffff:ffff')
  const v6 = fc.tuple(head, fc.constantFrom('0', '1'), random, fc.constantFrom(0, 1, 0xffff), random).map(([h, a, b, c, d]) => {
    return `${h}:${a}:${b.toString(16)}:0:0:${c.toString(16)}:${d.toString(16)}`
  })
  const v4 = fc.tuple(fc.constantFrom(10, 203), fc.nat(3), fc.nat(255), fc.nat(255)).map((parts) => parts.join('.'))
  const key = fc.oneof(
    fc.tuple(v6, fc.integer({ min: 1, max: 128 })).map(([address, bits]) => `${address}/${bits}`),
    fc.tuple(v4, fc.integer({ min: 4, max: 32 })).map(([address, bits]) => `${address}/${bits}`),
    v6,
    v4,
  )

  test.each([47, 48, 64, 100, 128])('none shorter than /%i', async (shortest) => {
    const long = fc.tuple(v6, fc.integer({ min: shortest, max: 128 })).map(([address, bits]) => `${address}/${bits}`)
    const property = fc.asyncProperty(
      fc.array(long, { maxLength: 60 }),
      fc.array(v6, { maxLength: 60 }),
      async (keys, others) => {
        const asked = [...others, ...keys.map((one) => one.split('/')[0]!)]
        const { index } = await indexOf(keys)
        const networks = keys.map(numbersOf)
        expect(asked.map((one) => index.find(one))).toEqual(asked.map((one) => slowest(networks, one)))
      },
    )
    await fc.assert(property, { seed, numRuns: 60 })
  })

  test('mixed families', async () => {
    const [keys] = fc.sample(fc.array(key, { minLength: 4000, maxLength: 4000, size: 'max' }), { seed, numRuns: 1 })
    const [others] = fc.sample(fc.array(fc.oneof(v6, v4), { minLength: 400, maxLength: 400, size: 'max' }), {
      seed: 1,
      numRuns: 1,
    })
    const asked = [...others!, ...keys!.slice(0, 400).map((one) => one.split('/')[0]!), 'x', '::', '0.0.0.0', '255.255.255.255']
    const { index } = await indexOf(keys!)
    const networks = keys!.map(numbersOf)
    const expected = asked.map((one) => slowest(networks, one))
    expect(asked.map((one) => index.find(one))).toEqual(expected)
    const batch = new AddressBatch(asked.length)
    const rows = new Int32Array(asked.length)
    batch.read(asked)
    index.findAll(batch, rows)
    expect([...rows]).toEqual(expected)
  })

  interface Network {
    readonly kind: string
    readonly address: bigint
    readonly shift: bigint
    readonly bits: number
  }

  function numbersOf(text: string): Network {
    const [address, bits] = toCidr(text)
    const bytes = address.toByteArray()
    return { kind: address.kind(), address: toNumber(bytes), shift: BigInt(bytes.length * 8 - bits), bits }
  }

  function slowest(networks: readonly Network[], text: string): number {
    if (!ipaddr.isValid(text)) return -1
    const { kind, address } = numbersOf(text)
    let best = -1
    for (const [i, network] of networks.entries()) {
      if (network.kind !== kind || address >> network.shift !== network.address >> network.shift) continue
      if (best < 0 || network.bits >= networks[best]!.bits) best = i
    }
    return best
  }

  function toNumber(bytes: readonly number[]): bigint {
    return bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
  }
})

test('content can have millions of networks, but not more than fit into the memory', () => {
  const builder = new AddressIndexBuilder(true)
  const add = () => {
    for (let i = 0; i <= MAX_KEYS; i++) builder.add('192.0.2.1', 0)
  }
  expect(add).toThrow(`more than ${MAX_KEYS} networks`)
}, 60_000)

/** The oracle: compares every key in turn. An IPv4-mapped address or network counts as IPv4. */
function scan(keys: readonly string[], address: string): number {
  const wanted = ipaddr.process(address)
  let best = -1
  let longest = -1
  for (const [i, key] of keys.entries()) {
    const [network, bits] = toCidr(key)
    if (network.kind() !== wanted.kind() || bits < longest || !wanted.match(network, bits)) continue
    longest = bits
    best = i
  }
  return best
}

function toCidr(key: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const address = ipaddr.parse(key.split('/')[0]!)
  const bits = key.includes('/') ? Number(key.split('/')[1]) : address.kind() === 'ipv4' ? 32 : 128
  const isMapped = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= 96
  return isMapped ? [(address as ipaddr.IPv6).toIPv4Address(), bits - 96] : [address, bits]
}
