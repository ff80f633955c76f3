import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fuzzRuns, fuzzTimeoutMs } from '../../../test/support/fuzz.ts'
import { parseJson } from '../json.ts'
import { TooMuch } from './check.ts'
import { decodeParquet } from './decode.ts'
import { isParquet, parquetLines } from './parquet.ts'

/** Written by pyarrow 26: the same three rows with each compression and with both kinds of pages. */
const file = (name: string) => readFileSync(join(import.meta.dirname, `../../../test/fixtures/parquet/${name}.parquet`))
const KINDS = ['none', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4', 'v2']
const LIMITS = { maxBytes: 100_000, maxRows: 10_000 }

function rowsOf(lines: Uint8Array): unknown[] {
  return Buffer.from(lines)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => {
      const read = parseJson(line, { maxDepth: 9 })
      return read.kind === 'ok' ? read.value : read.message
    })
}

const ROWS = [
  {
    ip: '192.0.2.1',
    id: 9223372036854775807n,
    unsigned: 18446744073709551615n,
    small: 1,
    number38: 12345678901234567890123456789n,
    price: 12.34,
    exact: '12345678901234567890.12',
    seen_us: '2024-03-12T08:10:51.123456Z',
    seen_ns: '2024-03-12T08:10:51.123456789Z',
    day: '2024-03-12',
    tags: ['a', 'b'],
    owner: { name: 'ada', level: 3 },
    is_bad: true,
    score: 0.5,
    raw: 'text',
  },
  {
    ip: '198.51.100.0/24',
    id: -9223372036854775808n,
    unsigned: 0,
    small: -2,
    number38: -5,
    price: -0.05,
    exact: null,
    seen_us: '1969-12-31T23:59:59.999999Z',
    seen_ns: null,
    day: null,
    tags: [],
    owner: { name: 'grace', level: null },
    is_bad: false,
    score: null,
    raw: '//4=',
  },
  {
    ip: '2001:db8::1',
    id: null,
    unsigned: 7,
    small: null,
    number38: null,
    price: null,
    exact: null,
    seen_us: null,
    seen_ns: '1970-01-01T00:00:00.000000000Z',
    day: '1970-01-01',
    tags: null,
    owner: null,
    is_bad: null,
    score: -1e300,
    raw: null,
  },
]

test.each(KINDS)('every type of value is exact: %s', async (kind) => {
  expect(isParquet(file(kind))).toBe(true)
  expect(rowsOf(await decodeParquet({ bytes: file(kind), ...LIMITS }))).toEqual(ROWS)
})

test('several row groups are read in order', async () => {
  const rows = rowsOf(await decodeParquet({ bytes: file('groups'), ...LIMITS }))
  expect(rows).toHaveLength(2000)
  expect(rows[1999]).toEqual({ ip: '10.0.7.207', n: 1999 })
  expect(rows.every((row, i) => (row as { n: number }).n === i)).toBe(true)
})

test('a file with more than the limits allow is refused, by rows, by pages and by text', async () => {
  const bytes = file('groups')
  await expect(decodeParquet({ bytes, ...LIMITS, maxRows: 1999 })).rejects.toThrow(TooMuch)
  await expect(decodeParquet({ bytes, ...LIMITS, maxBytes: 10_000 })).rejects.toThrow(TooMuch)
  const text = (await decodeParquet({ bytes, ...LIMITS })).length
  await expect(decodeParquet({ bytes, ...LIMITS, maxBytes: text - 1 })).rejects.toThrow(TooMuch)
  expect(await decodeParquet({ bytes, ...LIMITS, maxBytes: text })).toHaveLength(text)
})

test('an encoding whose values may be much larger than their page is refused', async () => {
  await expect(decodeParquet({ bytes: file('delta'), ...LIMITS })).rejects.toThrow(/DELTA_BYTE_ARRAY.*not supported/)
})

describe('a damaged file', () => {
  test('that is cut is not taken for one', () => {
    const bytes = file('none')
    for (let end = 0; end < bytes.length; end += 7) expect(isParquet(bytes.subarray(0, end))).toBe(false)
  })

  test('is refused or read within the limits, whatever has changed, and does not end the process', {
    timeout: fuzzTimeoutMs(120_000),
  }, async () => {
    const originals = ['none', 'v2', 'groups'].map(file)
    const change = fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.integer({ min: 0, max: 255 }))
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...originals),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        async (original, changes) => {
          const bytes = Buffer.from(original)
          for (const [share, byte] of changes) bytes[4 + Math.floor(share * (bytes.length - 8))] = byte
          const result = await decodeParquet({ bytes, ...LIMITS }).catch((error: unknown) => error)
          if (result instanceof Uint8Array) expect(result.length).toBeLessThanOrEqual(LIMITS.maxBytes)
          else expect(result).toBeInstanceOf(Error)
        },
      ),
      { numRuns: fuzzRuns(500), seed: 11 },
    )
  })
})

describe('in a thread', () => {
  const limits = { ...LIMITS, timeoutMs: 60_000 }

  test('rows are the same, and what is wrong is a result', { timeout: 120_000 }, async () => {
    const result = await parquetLines(file('zstd'), limits)
    expect(result.kind === 'ok' && rowsOf(result.lines)).toEqual(ROWS)
    expect(await parquetLines(file('groups'), { ...limits, maxRows: 5 })).toEqual({ kind: 'too-much' })
    expect(await parquetLines(file('delta'), limits)).toMatchObject({ kind: 'broken', message: expect.stringMatching(/DELTA/) })
    expect(await parquetLines(Buffer.from('PAR1aaaabbbbPAR1'), limits)).toMatchObject({ kind: 'broken' })
  })

  test('a file that keeps the decoder busy for hours is given up after the time limit', { timeout: 120_000 }, async () => {
    // The metadata is a number of 4 million digits to base 128, which the decoder adds up one by one.
    const endless = Buffer.alloc(4_000_000, 0xff)
    endless.write('PAR1')
    endless[4] = 0x16
    endless.writeUInt32LE(endless.length - 12, endless.length - 8)
    endless.write('PAR1', endless.length - 4)
    const result = await parquetLines(endless, { ...limits, timeoutMs: 2000 })
    expect(result).toEqual({ kind: 'broken', message: 'decoding takes longer than 2000 ms' })
  })
})
