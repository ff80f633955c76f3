import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseJson } from '../json.ts'
import { TooMuch } from '../parquet/check.ts'
import { parquetLines } from '../parquet/parquet.ts'
import { decodeAvro, isAvro } from './decode.ts'

/** Written by fastavro 1.12: the same two rows with each codec, and three events as Event Hubs capture them. */
const file = (name: string) => readFileSync(join(import.meta.dirname, `../../../test/fixtures/avro/${name}.avro`))
const LIMITS = { maxBytes: 100_000, maxRows: 10_000 }
const CODECS = ['null', 'deflate', 'snappy', 'zstandard']

function rowsOf(lines: Uint8Array): unknown[] {
  return Buffer.from(lines)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => {
      const read = parseJson(line, { maxDepth: 20 })
      return read.kind === 'ok' ? read.value : read.message
    })
}

const SECOND = {
  ip: '192.0.2.1',
  id: -9223372036854775808n,
  small: null,
  price: -12.34,
  exact: null,
  seen_ms: '2024-03-12T08:10:51.123Z',
  seen_us: '1969-12-31T23:59:59.999999Z',
  day: null,
  uid: '12345678-1234-5678-1234-567812345678',
  tags: [],
  labels: {},
  kind: 'A',
  score: 0.5,
  ok: false,
  raw: '//4=',
  next: null,
}
const FIRST = {
  ...SECOND,
  id: 9223372036854775807n,
  small: -2,
  exact: '12345678901234567890.12',
  day: '2024-03-12',
  tags: ['a', 'b'],
  labels: { x: 9007199254740993n, y: 'z', n: null },
  kind: 'B',
  ok: true,
  raw: 'text',
  next: SECOND,
}

test.each(CODECS)('every type of value is exact: %s', (codec) => {
  expect(isAvro(file(codec))).toBe(true)
  expect(rowsOf(decodeAvro({ bytes: file(codec), ...LIMITS }))).toEqual([FIRST, SECOND])
})

test('the bodies of captured events are the records', () => {
  expect(rowsOf(decodeAvro({ bytes: file('capture'), ...LIMITS }))).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }])
})

/** A container with one block. */
function container(schema: unknown, count: number, block: Uint8Array, codec = 'null'): Buffer {
  const text = (content: string | Uint8Array) => [long(content.length), Buffer.from(content)]
  const metadata = [...text('avro.schema'), ...text(JSON.stringify(schema)), ...text('avro.codec'), ...text(codec)]
  const sync = Buffer.alloc(16, 7)
  return Buffer.concat([Buffer.from('Obj\u0001'), long(2), ...metadata, long(0), sync, long(count), ...text(block), sync])
}

function long(value: number): Buffer {
  const bytes: number[] = []
  let left = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(left)])
}

const LIST = { type: 'record', name: 'List', fields: [{ name: 'next', type: ['null', 'List'] }] }
const EMPTY_RECORDS = { type: 'array', items: { type: 'record', name: 'Empty', fields: [] } }
const tooDeep = Array.from({ length: 70 }, () => 0).reduce<unknown>((items) => ({ type: 'array', items }), 'int')

test.each<[string, Buffer, RegExp | typeof TooMuch]>([
  [
    'any number of values without bytes',
    container({ type: 'array', items: 'null' }, 1, long(1e15)),
    /more values than a file of its size may have/,
  ],
  ['empty records without end', container(EMPTY_RECORDS, 1, long(1e15)), /more values than a file of its size may have/],
  [
    'values of a byte each that compress to nothing',
    container({ type: 'array', items: 'boolean' }, 1, deflateRawSync(Buffer.concat([long(1e8), Buffer.alloc(1e7)])), 'deflate'),
    /more values than a file of its size may have/,
  ],
  ['any number of rows without bytes', container('null', 1e15, Buffer.alloc(0)), TooMuch],
  ['a block that expands', container('string', 1, deflateRawSync(Buffer.alloc(3e7)), 'deflate'), TooMuch],
  ['a value in a value, and so on', container(LIST, 1, Buffer.alloc(1e5, 2)), /nested deeper than 64/],
  ['a schema of any depth', container(tooDeep, 0, Buffer.alloc(0)), /schema is nested deeper than 64/],
  ['a type that is not defined', container(['null', 'Missing'], 0, Buffer.alloc(0)), /unknown type "Missing"/],
  ['a codec that is not supported', container('int', 1, long(1), 'xz'), /codec "xz" is not supported: use null/],
  ['more bytes than values', container('int', 1, Buffer.alloc(2)), /the block at byte \d+ has more bytes than values/],
])('a file with %s is refused', (_, bytes, error) => {
  const decode = () => decodeAvro({ bytes, ...LIMITS, maxBytes: 20_000_000 })
  if (error instanceof RegExp) expect(decode).toThrow(error)
  else expect(decode).toThrow(error)
})

test('a damaged file is refused or read within the limits, whatever has changed', () => {
  const change = fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.integer({ min: 0, max: 255 }))
  fc.assert(
    fc.property(
      fc.constantFrom(...CODECS.map(file)),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      fc.nat(1500),
      (original, changes, length) => {
        const bytes = Buffer.from(original.subarray(0, length > 1000 ? undefined : length))
        for (const [share, byte] of changes) bytes[Math.floor(share * bytes.length)] = byte
        try {
          expect(decodeAvro({ bytes, ...LIMITS }).length).toBeLessThanOrEqual(LIMITS.maxBytes)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      },
    ),
    { numRuns: 500, seed: 12 },
  )
})

test('it is decoded in the thread that decodes Parquet', async () => {
  const limits = { ...LIMITS, timeoutMs: 60_000 }
  const result = await parquetLines(file('snappy'), limits)
  expect(result.kind === 'ok' && rowsOf(result.lines)).toEqual([FIRST, SECOND])
  expect(await parquetLines(file('null').subarray(0, 1300), limits)).toMatchObject({
    kind: 'broken',
    message: expect.stringMatching(/breaks off at byte 1\d\d\d/),
  })
})

test('a small file costs little processor time, however many values without bytes it claims', () => {
  const bytes = container({ type: 'array', items: 'null' }, 1, Buffer.concat([long(95_000_000), long(0)]))
  const before = process.cpuUsage()
  expect(() => decodeAvro({ bytes, maxBytes: 2 ** 28, maxRows: 10_000 })).toThrow(/more values than a file of its size/)
  const { user, system } = process.cpuUsage(before)
  expect(user + system).toBeLessThan(10_000_000)
})

test('rows of mostly null fields are read, however well they compress', () => {
  const fields = [
    { name: 'id', type: 'long' },
    ...Array.from({ length: 30 }, (_, i) => ({ name: `f${i}`, type: ['null', 'string'] })),
  ]
  const rows = 60_000
  const block = Buffer.concat(Array.from({ length: rows }, (_, i) => Buffer.concat([long(i), Buffer.alloc(30)])))
  const bytes = container({ type: 'record', name: 'Sparse', fields }, rows, deflateRawSync(block), 'deflate')
  const lines = Buffer.from(decodeAvro({ bytes, maxBytes: 2 ** 28, maxRows: 100_000 }))
  expect(lines.toString().split('\n')).toHaveLength(rows + 1)
})
