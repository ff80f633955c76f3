import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fuzzRuns } from '../../../test/support/fuzz.ts'
import { unpackGzip, unpackLz4, unpackSnappy, unpackZstd } from './codecs.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
/** "abcabcabcabcabcabc": a run of three literals, then a copy of 15 bytes at distance 3. */
const REPEATED = 'abcabcabcabcabcabc'
const SNAPPY = hex('12 08 616263 3a 0300')
const HEADER = hex('82534e41505059 00 00000001 00000001')

test.each([
  ['a bare Snappy block', unpackSnappy, SNAPPY, REPEATED],
  [
    'Snappy blocks of the Java stream',
    unpackSnappy,
    Buffer.concat([HEADER, hex('00000008'), SNAPPY, hex('00000008'), SNAPPY]),
    REPEATED + REPEATED,
  ],
  ['an LZ4 frame with a block as it is', unpackLz4, hex('04224d18 60 40 82 03000080 616263 00000000'), 'abc'],
  [
    'an LZ4 frame with a block that is compressed',
    unpackLz4,
    hex('04224d18 60 40 82 0c000000 36 616263 0300 50 6162636162 00000000'),
    'abcabcabcabcaabcab',
  ],
  ['gzip', unpackGzip, gzipSync(REPEATED), REPEATED],
])('%s', async (_, unpack, input, text) => {
  expect((await unpack(input)).toString()).toBe(text)
})

test.each([
  ['gzip', unpackGzip, gzipSync(Buffer.alloc(65 * 1024 * 1024))],
  ['Snappy', unpackSnappy, hex('80808080 08 00')],
])('%s beyond 64 MiB is refused', async (_, unpack, input) => {
  await expect(unpack(input)).rejects.toThrow()
})

test('damaged batches are refused, whatever the bytes', async () => {
  const magic = fc.constantFrom(Buffer.alloc(0), HEADER, hex('04224d18 60 40 82'))
  await fc.assert(
    fc.asyncProperty(magic, fc.uint8Array({ maxLength: 200 }), async (begin, rest) => {
      const input = Buffer.concat([begin, rest])
      for (const unpack of [unpackSnappy, unpackLz4, unpackGzip, unpackZstd])
        await unpack(input).then(
          (output) => expect(output.length).toBeLessThan(64 * 1024 * 1024),
          (error) => expect(error).toBeInstanceOf(Error),
        )
    }),
    { numRuns: fuzzRuns(300) },
  )
})
