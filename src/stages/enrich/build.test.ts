import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { buildTable } from './build.ts'
import { defineTable } from './definition.ts'
import { compileTableSchema } from './table-schema.ts'

const file = '/content/x.yml'
const bytes = (text: string) => Buffer.from(text)
const define = (change: object = {}, primaryKey = 'ip') =>
  defineTable(
    { AnalysisType: 'lookup_table', LookupName: 'x', Filename: 'x', LogTypeMap: { PrimaryKey: primaryKey }, ...change },
    { file },
  )
const addresses = compileTableSchema(
  { schema: 'X', fields: [{ name: 'ip', type: 'string', required: true, indicators: ['ip'] }] },
  { file },
)
const networks = compileTableSchema(
  { schema: 'X', fields: [{ name: 'ip', type: 'string', validate: { cidr: 'any' } }] },
  { file },
)

test('Parquet, whatever its name, with exact keys of 64 bits', async () => {
  const content = {
    bytes: readFileSync(join(import.meta.dirname, '../../../test/fixtures/parquet/snappy.parquet')),
    fileName: 'x',
  }
  const table = await buildTable(define({}, 'id'), undefined, content)
  expect(table.get('9223372036854775807')).toMatchObject({ ip: '192.0.2.1', unsigned: 18446744073709551615n })
  expect(table.skipped.count).toBe(1)
  await expect(buildTable(define({ Format: 'csv' }), undefined, content)).rejects.toThrow(/is a Parquet file, not csv/)
  await expect(buildTable(define({ Format: 'parquet' }), undefined, { bytes: bytes('ip\n') })).rejects.toThrow(
    /not a Parquet file/,
  )
  const cut = { bytes: Buffer.concat([content.bytes.subarray(0, 900), content.bytes.subarray(-60)]) }
  await expect(buildTable(define(), undefined, cut)).rejects.toThrow(/Parquet file cannot be read/)
})

test("a provider's max_bytes is also the limit of the table that is built from its content", async () => {
  const limited = (max_bytes: number) => define({ Provider: { type: 'url', url: 'https://lists.example.com/', max_bytes } })
  const content = { bytes: bytes('192.0.2.1\n'), fileName: 'x.txt' }
  await expect(buildTable(limited(9), addresses, content)).rejects.toThrow(/larger than 9 bytes/)
  expect((await buildTable(limited(10), addresses, content)).size).toBe(1)
  const large = { bytes: Buffer.alloc(64 * 1024 * 1024 + 1, '#'), fileName: 'x.txt' }
  await expect(buildTable(define(), addresses, large)).rejects.toThrow(/larger than 67108864 bytes/)
  await expect(buildTable(limited(70_000_000), addresses, large)).rejects.toThrow(/no usable row/)
})

describe('the same rows in every format', () => {
  const expected = { ip: '192.0.2.1', note: 'a' }
  const cases: [what: string, fileName: string, text: string][] = [
    ['csv by its ending', 'x.csv', 'ip,note\n192.0.2.1,a\n192.0.2.2,b\n'],
    ['csv by its header', 'x', '"ip", note\r\n192.0.2.1 , a\r\n192.0.2.2,b'],
    ['csv with comments and blank lines', 'x.csv', '# ours\n\nip,note\n192.0.2.1,a\n\n192.0.2.2,b\n'],
    ['csv with quotes', 'x.csv', 'note,ip\n"a","192.0.2.1"\n"b, with ""quotes""\nand lines",192.0.2.2\n'],
    ['lines of JSON', 'x.jsonl', '{"ip":"192.0.2.1","note":"a"}\n\n{"ip":"192.0.2.2"}\n'],
    ['lines of JSON in a .json', 'x.json', '{"ip":"192.0.2.1","note":"a"}\n{"ip":"192.0.2.2"}'],
    ['a JSON array', 'x.json', '[{"ip":"192.0.2.1","note":"a"},\n {"ip":"192.0.2.2"}]'],
    ['a list', 'x.txt', '# ours\n192.0.2.1 ; a\n\n; more\n192.0.2.2\n'],
    ['a list with tabs', 'x.netset', '192.0.2.1\ta\r\n192.0.2.2\tb\r\n'],
    ['after a byte order mark', 'x.csv', '\ufeffip,note\n192.0.2.1,a\n192.0.2.2,b\n'],
  ]
  test.each(cases)('%s', async (_, fileName, text) => {
    const table = await buildTable(define(), addresses, { bytes: bytes(text), fileName })
    expect(table.get('192.0.2.1')).toEqual(expected)
    expect(table.get('192.0.2.3')).toBeUndefined()
    expect([table.size, table.skipped.count]).toEqual([2, 0])
    const packed = await buildTable(define(), addresses, { bytes: gzipSync(text), fileName: `${fileName}.gz` })
    expect([packed.get('192.0.2.1'), packed.version]).toEqual([expected, table.version])
  })
})

test('the version is the hash of the unpacked content, after its date', async () => {
  const text = bytes('192.0.2.1\n')
  const plain = await buildTable(define({ Format: 'list' }), addresses, { bytes: text })
  const dated = await buildTable(define({ Format: 'list' }), addresses, { bytes: text, date: '2024-03-12' })
  expect([plain.version, dated.version]).toEqual(['d1aa74fdddc0', '2024-03-12-d1aa74fdddc0'])
})

describe('keys', () => {
  const read = (text: string, change: object, schema = addresses) =>
    buildTable(define({ Format: 'list', ...change }), schema, { bytes: bytes(text) })

  test('an address is found in any spelling', async () => {
    const table = await read('2001:DB8::1\n192.0.2.1\n', {})
    expect(['2001:db8:0:0::1', '::ffff:192.0.2.1'].map((key) => table.get(key)?.['ip'])).toEqual(['2001:DB8::1', '192.0.2.1'])
  })

  test('an address finds the longest network that contains it', async () => {
    const table = await read('10.0.0.0/8 ; wide\n10.1.0.0/16 ; narrow\n', {}, networks)
    expect(['10.1.2.3', '10.2.2.3', '11.0.0.1'].map((key) => table.get(key)?.['note'])).toEqual(['narrow', 'wide', undefined])
  })

  test.each([
    ['addresses', '192.0.2.1\n192.0.2.2\n', 'ip'],
    ['networks', '192.0.2.0/24\n192.0.2.2\n', 'cidr'],
    ['text', 'a.example\nb.example\n192.0.2.1\n', 'exact'],
  ])('without a schema %s are detected from the keys', async (_, text, match) => {
    expect((await buildTable(define({ Format: 'list' }), undefined, { bytes: bytes(text) })).match).toBe(match)
  })

  test('the definition takes precedence', async () => {
    const table = await buildTable(define({ Format: 'list', Match: 'port' }, 'port'), undefined, {
      bytes: bytes('22\n443 ; web\n'),
    })
    expect([table.match, table.get('0.0.0.0:443')]).toEqual(['port', { port: '443', note: 'web' }])
  })

  test('numbers are found as text, and every element of a list is a key', async () => {
    const text = '{"id":7,"v":1}\n{"id":["a","b"],"v":2}\n{"id":9007199254740993,"v":3}'
    const table = await buildTable(define({}, 'id'), undefined, { bytes: bytes(text) })
    expect(['7', 'a', 'b', '9007199254740993'].map((key) => table.get(key)?.['v'])).toEqual([1, 2, 2, 3])
  })

  test('rows and keys named like a prototype are plain data', async () => {
    const text = '{"id":"__proto__","__proto__":{"polluted":true}}\n{"id":"constructor"}'
    const table = await buildTable(define({}, 'id'), undefined, { bytes: bytes(text) })
    expect(Object.keys(table.get('__proto__')!)).toEqual(['id', '__proto__'])
    expect([table.get('toString'), ({} as Record<string, unknown>)['polluted']]).toEqual([undefined, undefined])
  })

  test('a few unusable rows are counted and reported', async () => {
    const table = await read('192.0.2.1\n192.0.2.2\n10.0.0.0/8\n192.0.2.4\n', {})
    expect(table.size).toBe(3)
    expect(table.skipped).toEqual({
      count: 1,
      examples: [expect.stringMatching(/"10\.0\.0\.0\/8" is not a key.*need `Match: cidr/)],
    })
  })
})

describe('content that cannot become a table', () => {
  const cases: [what: string, content: string | Uint8Array, change: object, message: RegExp][] = [
    ['empty', '', { Format: 'list' }, /no usable row/],
    ['only comments', '# nothing\n', { Format: 'list' }, /no usable row/],
    [
      'an error page',
      '<html>\n<body>\nService unavailable\n</body>\n</html>\n',
      { Format: 'list' },
      /no usable row: "<html>" is not a key of this table/,
    ],
    ['mostly something else', '192.0.2.1\nfoo\nbar\nbaz\n', { Format: 'list' }, /3 of 4 rows cannot be used as ip keys/],
    [
      'of an unspecified format',
      'foo bar\nbaz\n',
      {},
      /the format of the content is unclear.*add `Format:` \(csv, jsonl, json, list, hosts, tor, greynoise, misp, stix, threatfox, parquet, mmdb\)/,
    ],
    ['CSV without the key', 'address,note\n192.0.2.1,a\n', { Format: 'csv' }, /no column 'ip' .*first line is "address,note"/],
    ['CSV that names a column twice', 'ip,ip\n1,2\n', { Format: 'csv' }, /"ip" twice/],
    ['CSV with an open quote', 'ip,note\n192.0.2.1,"a\n', { Format: 'csv' }, /not CSV: Quote Not Closed/],
    ['CSV with a prototype for a column', 'ip,__proto__\n192.0.2.1,a\n', { Format: 'csv' }, /without a usable name/],
    ['a JSON array that is cut off', '[{"ip":"192.0.2.1"},{"ip":"192.', { Format: 'json' }, /is incomplete/],
    ['a JSON object for an array', '{"ip":"192.0.2.1"}', { Format: 'json' }, /not a JSON array/],
    ['lines that are no JSON', 'foo\nbar\n', { Format: 'jsonl' }, /line 1: not JSON/],
    ['JSON of numbers', '[1,2]', {}, /element 0 is not a JSON object/],
    ['deep nesting', `{"ip":"192.0.2.1","v":${'['.repeat(100)}${']'.repeat(100)}}`, {}, /deep/],
    ['binary', Uint8Array.from([0xff, 0xfe, 0x00, 0x80]), { Format: 'list' }, /not UTF-8/],
    ['broken gzip', gzipSync('192.0.2.1\n').subarray(0, 12), { Format: 'list' }, /gzip content is broken/],
  ]
  test.each(cases)('%s', async (_, content, change, message) => {
    const input = typeof content === 'string' ? bytes(content) : content
    await expect(buildTable(define(change), addresses, { bytes: input })).rejects.toThrow(message)
  })

  test('a primary key that the schema does not have', async () => {
    const table = buildTable(define({ Format: 'list' }, 'address'), addresses, { bytes: bytes('192.0.2.1') })
    await expect(table).rejects.toThrow(/'address' is not a field of the schema 'X'/)
  })

  const list = define({ Format: 'list' })
  test('more bytes than allowed, packed or not', async () => {
    const text = '192.0.2.1\n'.repeat(2000)
    await expect(buildTable(list, addresses, { bytes: bytes(text) }, { maxBytes: 10_000 })).rejects.toThrow(
      /larger than 10000 bytes/,
    )
    await expect(buildTable(list, addresses, { bytes: gzipSync(text) }, { maxBytes: 10_000 })).rejects.toThrow(
      /larger than 10000 bytes/,
    )
  })

  test('more rows than allowed', async () => {
    const text = '192.0.2.1\n'.repeat(2000)
    await expect(buildTable(list, addresses, { bytes: bytes(text) }, { maxRows: 100 })).rejects.toThrow(/more than 100 rows/)
  })

  test('more time than allowed', async () => {
    await expect(buildTable(list, addresses, { bytes: bytes('192.0.2.1\n') }, { timeoutMs: -1 })).rejects.toThrow(
      /longer than -1 ms/,
    )
  })
})

describe('ranges', () => {
  const read = (text: string, fileName = 'x.txt', schema = networks) =>
    buildTable(define(), schema, { bytes: bytes(text), fileName })
  const inside = ['203.0.113.0', '203.0.113.77', '203.0.113.255']
  const outside = ['203.0.112.255', '203.0.114.0']

  test.each<[what: string, text: string, fileName?: string]>([
    ['start, end and prefix length by tabs', 'Start\tEnd\tNetblock\tName\n203.0.113.0\t203.0.113.255\t24\tDOC\n'],
    ['the same without a header', '# ours\n203.0.113.0\t203.0.113.255\t24\t2810\tDOC\n'],
    ['start and end of a network', '203.0.113.0 203.0.113.255\n'],
    ['a dash', '203.0.113.0-203.0.113.255\n'],
    ['a dash with blanks, and a note', '203.0.113.0 - 203.0.113.255 ; DOC\n'],
    ['a prefix length in its own column', '203.0.113.0\t24\tDOC\n198.51.100.0\t25\tother\n'],
    ['a mask in its own column', '203.0.113.0\t255.255.255.0\n'],
    ['CSV with an end', 'ip,end\n203.0.113.0,203.0.113.255\n', 'x.csv'],
    ['CSV with a prefix length', 'ip,prefix,n\n203.0.113.0,24,5\n198.51.100.7,32,5\n', 'x.csv'],
    ['JSON with an end', '{"ip":"203.0.113.0","end_ip":"203.0.113.255"}\n', 'x.jsonl'],
    ['JSON with a prefix length', '{"ip":"203.0.113.0","prefix_length":24}\n', 'x.jsonl'],
    ['JSON with a range as key', '{"ip":"203.0.113.0-203.0.113.255"}\n', 'x.jsonl'],
  ])('%s: all of it is joined', async (_, text, fileName) => {
    const table = await read(text, fileName)
    expect(inside.map((ip) => table.get(ip) !== undefined)).toEqual([true, true, true])
    expect(outside.map((ip) => table.get(ip))).toEqual([undefined, undefined])
    expect(table.skipped.count).toBe(0)
  })

  test('the text after the range is its note', async () => {
    const table = await read('Start\tEnd\tNetblock\tAttacks\tName\n203.0.113.0\t203.0.113.255\t24\t2810\tDOC\n')
    expect(table.get('203.0.113.9')).toEqual({ ip: '203.0.113.0/24', note: '2810\tDOC' })
  })

  test('counts after addresses are not prefix lengths', async () => {
    const table = await read('203.0.113.0\t24\n203.0.113.7\t9\n')
    expect(['203.0.113.0', '203.0.113.7', '203.0.113.8'].map((ip) => table.get(ip)?.['note'])).toEqual(['24', '9', undefined])
  })

  test('two addresses of unknown meaning are refused, with advice', async () => {
    await expect(read('203.0.113.3\t203.0.113.9\n')).rejects.toThrow('line 1 has two addresses')
    await expect(read('# first to last\n203.0.113.3\t198.51.100.1\n')).rejects.toThrow('write it as first-last')
    expect((await read('203.0.113.3 ; 198.51.100.1\n')).size).toBe(1)
  })

  test('a table of single addresses refuses ranges', async () => {
    await expect(read('203.0.113.0-203.0.113.255\n', 'x.txt', addresses)).rejects.toThrow('networks and ranges need')
    await expect(read('ip,end\n203.0.113.0,203.0.113.255\n', 'x.csv', addresses)).rejects.toThrow('networks and ranges need')
  })

  test('a range that ends before it begins is refused as a key', async () => {
    await expect(read('ip,end\n203.0.113.9,203.0.113.1\n', 'x.csv')).rejects.toThrow('ends (203.0.113.1) before it begins')
  })

  test('any range contains exactly its addresses, as a linear scan confirms', async () => {
    const last = fc.sample(fc.tuple(fc.nat(600), fc.nat(600)), { seed: 11, numRuns: 60 })
    for (const [a, b] of last) {
      const [from, to] = [Math.min(a, b), Math.max(a, b)]
      const v4 = (n: number) => `192.0.${n >> 8}.${n & 255}`
      const v6 = (n: number) => `2001:db8::${n.toString(16)}`
      const table = await read(`${v4(from)}-${v4(to)}\n${v6(from)}-${v6(to)}\n`)
      for (const n of [0, from - 1, from, from + 1, (from + to) >> 1, to - 1, to, to + 1, 1000]) {
        if (n < 0) continue
        for (const address of [v4(n), v6(n)])
          expect(table.get(address) !== undefined, `${address} in ${from}-${to}`).toBe(n >= from && n <= to)
      }
    }
  })
})

test('a column that the definition names and no row has is an error that lists those there are', async () => {
  const content = { bytes: bytes('{"ip":"192.0.2.1","score":1,"seen":"2024-01-01"}\n{"ip":"192.0.2.2","score":null}\n') }
  const build = (change: object) => buildTable(define(change), undefined, content)
  expect((await build({ Verdict: { Column: 'score' }, RowsPerKey: 'newest', NewestBy: 'seen' })).size).toBe(2)
  for (const [change, where] of [
    [{ Verdict: { Column: 'scor' } }, "Verdict.Column: no row has a column 'scor'"],
    [{ RowsPerKey: 'newest', NewestBy: 'sen' }, "NewestBy: no row has a column 'sen'"],
    [
      { Provider: { type: 'query', sql: 'SELECT 1' }, Filename: undefined, Indicators: { adress: ['ip'] } },
      "Indicators: no row has a column 'adress'",
    ],
  ] as const)
    await expect(build(change)).rejects.toThrow(`${where}; there are ip, score, seen`)
})
