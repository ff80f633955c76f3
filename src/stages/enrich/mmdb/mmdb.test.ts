import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonValue } from '../../../model/json.ts'
import { buildTable } from '../build.ts'
import { defineTable } from '../definition.ts'
import { TableError } from '../table.ts'
import { AddressBatch } from '../tables/address-batch.ts'
import { Decoder } from './decoder.ts'
import { encode, type MmdbOptions, writeMmdb } from './mmdb.fixture.ts'

const definition = defineTable(
  { AnalysisType: 'lookup_table', LookupName: 'geo', Filename: 'geo.mmdb', LogTypeMap: { PrimaryKey: 'network' } },
  { file: '/content/geo.yml' },
)
const build = (bytes: Uint8Array, schema?: Parameters<typeof buildTable>[1]) =>
  buildTable(definition, schema, { bytes, fileName: 'geo.mmdb' })
const tableOf = (networks: readonly (readonly [string, JsonValue])[], options?: MmdbOptions) =>
  build(writeMmdb(networks, options))

describe('a MaxMind DB as a table', () => {
  test('finds the network of an address, and its version contains the date of the file', async () => {
    const table = await tableOf([
      ['192.0.2.0/24', { country: { iso_code: 'SE', names: { en: 'Sweden', de: 'Schweden' } }, location: { latitude: 59.5 } }],
      ['2001:db8::/32', { country: { iso_code: 'NO' } }],
    ])
    expect([table.match, table.size, table.version.slice(0, 11)]).toEqual(['cidr', 2, '2024-03-12-'])
    expect(table.get('192.0.2.77')).toEqual({
      country: { iso_code: 'SE', names: { en: 'Sweden' } },
      location: { latitude: 59.5 },
    })
    expect(table.get('::ffff:192.0.2.77')).toEqual(table.get('192.0.2.77'))
    expect(table.get('2001:db8::1')).toEqual({ country: { iso_code: 'NO' } })
    expect([table.get('192.0.3.1'), table.get('2001:db9::1'), table.get('nonsense')]).toEqual([undefined, undefined, undefined])
  })

  test('a record that is not a map is stored under value; with a schema only its fields remain', async () => {
    const table = await tableOf([['192.0.2.0/24', 'here']])
    expect(table.get('192.0.2.1')).toEqual({ value: 'here' })
    const schema = { name: 'S', fields: new Set(['network', 'asn']), matchOf: () => undefined, automaticOf: () => undefined }
    const kept = await build(writeMmdb([['192.0.2.0/24', { asn: 'AS1', more: 1 }]]), {
      ...schema,
      shape: (row) => row,
      indicators: () => ({}),
    })
    expect(kept.get('192.0.2.1')).toEqual({ asn: 'AS1' })
  })

  const network = fc
    .tuple(
      fc.boolean(),
      fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 }),
      fc.integer({ min: 1, max: 32 }),
    )
    .map(([isIpv4, bytes, bits]) =>
      isIpv4
        ? `${bytes.join('.')}/${bits}`
        : `20${bytes
            .map((byte) => byte.toString(16).padStart(2, '0'))
            .join('')
            .slice(0, 2)}:${bytes[2]!.toString(16)}::/${bits + 16}`,
    )
  test.each([24, 28, 32] as const)(
    'every address has what the longest network around it says (records of %i bits)',
    async (recordBits) => {
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(network, { minLength: 1, maxLength: 12 }),
          fc.array(fc.ipV4(), { maxLength: 20 }),
          async (networks, others) => {
            const rows = networks.map((one, i) => [one, { i }] as const)
            // For comparison: a table of the same networks with the ordinary index.
            const csv = Buffer.from(`network,i\n${networks.map((one, i) => `${one},${i}`).join('\n')}\n`)
            const oracle = await buildTable({ ...definition, match: 'cidr', format: 'csv' }, undefined, { bytes: csv })
            const table = await tableOf(rows, { recordBits })
            const addresses = [...networks.map((one) => one.split('/')[0]!), ...others]
            const batch = new AddressBatch(100)
            batch.read(addresses)
            const found = new Int32Array(100)
            table.findAll(batch, found)
            for (const [at, address] of addresses.entries()) {
              const expected = oracle.get(address)?.['i']
              expect(table.get(address)?.['i']?.toString(), address).toBe(expected)
              expect(found[at]! < 0).toBe(expected === undefined)
            }
          },
        ),
        { numRuns: 150 },
      )
    },
  )
})

describe('a damaged file', () => {
  const whole = writeMmdb(
    [
      ['192.0.2.0/24', { country: { iso_code: 'SE' }, list: [1, 2.5, true, 2n ** 60n] }],
      ['198.51.100.0/24', { text: 'x'.repeat(300) }],
    ],
    { recordBits: 28 },
  )

  test('is either refused or read, whatever its bytes are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
        fc.nat(whole.length),
        async (changes, cut) => {
          const bytes = Buffer.from(whole)
          for (const [at, byte] of changes) bytes[at] = byte
          for (const one of [bytes, bytes.subarray(0, cut)]) {
            const table = await buildTable({ ...definition, format: 'mmdb' }, undefined, { bytes: one }).catch(
              (error: unknown) => error,
            )
            if (table instanceof Error) expect(table).toBeInstanceOf(TableError)
            else
              for (const address of ['192.0.2.1', '198.51.100.1', '2001:db8::'])
                (table as Awaited<ReturnType<typeof build>>).get(address)
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  test.each<[string, MmdbOptions, RegExp]>([
    ['format version 3', { metadata: { binary_format_major_version: 3 } }, /only version 2/],
    ['records of 20 bits', { metadata: { record_size: 20 } }, /record size of 20/],
    ['a tree larger than the file', { metadata: { node_count: 100_000 } }, /does not fit into the file/],
    ['no number of nodes', { metadata: { node_count: 'many' } }, /node_count is no whole number/],
    ['a build date beyond all dates', { metadata: { build_epoch: 2n ** 63n } }, /build_epoch is no whole number/],
    ['IP version 5', { metadata: { ip_version: 5 } }, /IP version 5/],
  ])('with %s is refused', async (_, options, message) => {
    await expect(tableOf([['192.0.2.0/24', 1]], options)).rejects.toThrow(message)
  })

  test('whose tree contains a cycle is refused', async () => {
    const bytes = writeMmdb([['128.0.0.0/2', 1]], { ipVersion: 4 })
    // The second node's left side points back to the first.
    bytes.fill(0, 6, 9)
    await expect(build(bytes)).rejects.toThrow('leads in a circle')
  })

  const decode = (...bytes: readonly number[]) => new Decoder(Uint8Array.from(bytes)).decode(0)
  const deep = Array.from({ length: 600 }, () => [1, 4]).flat()
  test.each<[string, readonly number[], RegExp]>([
    ['a text beyond the end', [0x5c, 0x61], /beyond the end/],
    ['a list of sixteen million', [0x1f, 4, 0xff, 0xff, 0xff], /beyond the end/],
    ['a map with a number as its key', [0xe1, 0xa1, 5, 0xa1, 5], /key of a map/],
    ['a pointer to itself', [0x20, 0], /another pointer/],
    ['a list that holds itself', [2, 4, 0x20, 0, 0x20, 0], /deep in each other|more than 100000 values/],
    ['lists six hundred deep', deep, /deep in each other/],
    ['a text that is not UTF-8', [0x41, 0xff], /not UTF-8/],
    ['a double of four bytes', [0x64, 0, 0, 0, 0], /number of 8 bytes has 4/],
    ['a kind that there is not', [0x00, 9], /no kind of value/],
  ])('a value that is %s is refused', (_, bytes, message) => {
    expect(() => decode(...bytes)).toThrow(message)
  })

  test('a record that points to a long text again and again is refused', () => {
    const text = encode('x'.repeat(60_000))
    const pointers = Array.from({ length: 20 }, () => [0x20, 0]).flat()
    const bytes = Uint8Array.from([...text, 20, 4, ...pointers])
    expect(() => new Decoder(bytes).decode(text.length)).toThrow('texts of more than 1048576 bytes')
  })

  test('values of every type survive a round trip', () => {
    const value = fc.letrec<{ value: JsonValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.string({ maxLength: 400 }),
        fc.boolean(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).filter((one) => !Object.is(one, -0)),
        fc.nat(),
        fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
        fc.array(tie('value'), { maxLength: 4 }) as fc.Arbitrary<JsonValue>,
        fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }) as fc.Arbitrary<JsonValue>,
      ),
    })).value
    fc.assert(
      fc.property(value, (one) => {
        expect(decode(...encode(one))).toEqual(one)
      }),
    )
  })
})
