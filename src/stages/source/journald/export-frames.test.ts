import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256 } from '../../../util/hash.ts'
import { decodeBody } from '../decoders/decode.ts'
import { ExportFrames } from './export-frames.ts'
import { exported } from './journal.fixture.ts'

/** The entries of a body that arrives in pieces of these sizes, again and again. */
function framed(body: Buffer, sizes: readonly number[], maxBytes = 1_000_000) {
  const frames = new ExportFrames(maxBytes)
  const entries = []
  for (let at = 0, i = 0; at < body.length; i++) {
    const size = sizes[i % sizes.length]!
    entries.push(...frames.push(body.subarray(at, at + size)))
    at += size
  }
  return { entries, pending: frames.pending }
}

const name = fc.stringMatching(/^[A-Z][A-Z_0-9]{0,10}$/)
const value = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
)
const entry = fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 8 })
const sizes = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1 })

test('entries are found wherever the stream is cut, whatever their fields hold', () => {
  fc.assert(
    fc.property(fc.array(entry), sizes, (list, pieces) => {
      const each = list.map((fields) => exported(fields))
      const { entries, pending } = framed(Buffer.concat(each), pieces)
      expect(entries.map(({ bytes }) => bytes.toString('hex'))).toEqual(each.map((bytes) => bytes.toString('hex')))
      expect(pending).toBe(0)
    }),
  )
})

test('the entries before a fault are found wherever the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(entry), sizes, (list, pieces) => {
      const each = list.map((fields) => exported(fields))
      const body = Buffer.concat([...each, Buffer.from('=x\n')])
      const frames = new ExportFrames(1_000_000)
      const found: string[] = []
      const read = () => {
        for (let at = 0, i = 0; at < body.length; at += pieces[i++ % pieces.length]!)
          for (const { bytes } of frames.push(body.subarray(at, at + pieces[i % pieces.length]!)))
            found.push(bytes.toString('hex'))
      }
      expect(read).toThrow(/without a name/)
      expect(found).toEqual(each.map((bytes) => bytes.toString('hex')))
    }),
  )
})

test('fields become what was written, and lists where a name occurs several times', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.string({ unit: 'grapheme' })), { minLength: 1, maxLength: 8 }), (fields) => {
      const decoded = decodeBody(exported(fields.map(([key, text]) => [`X_${key}`, Buffer.from(text)])), 'journal-export')
      if ('broken' in decoded) throw new Error(decoded.broken)
      const wanted: Record<string, string | string[]> = {}
      for (const [key, text] of fields) {
        const own = `X_${key}`
        wanted[own] = own in wanted ? [wanted[own]!, text].flat() : text
      }
      expect(JSON.parse(Buffer.from(decoded.bytes).toString())).toEqual(wanted)
    }),
  )
})

test('blank lines between entries are nothing', () => {
  const { entries } = framed(Buffer.from('\n\nA=1\n\n\n\nB=2\n\n\n'), [2])
  expect(entries.map(({ bytes }) => bytes.toString())).toEqual(['A=1\n\n', 'B=2\n\n'])
})

test('the cursor is that of the entry, not of its text', () => {
  const forged = Buffer.from('x\n__CURSOR=forged')
  const { entries } = framed(Buffer.concat([exported([['__CURSOR', 's=1;i=2']]), exported([['MESSAGE', forged]])]), [7])
  expect(entries.map(({ cursor }) => cursor)).toEqual(['s=1;i=2', undefined])
})

test('of an entry that is too long, the head, the length and the hash are left', () => {
  const long = exported([
    ['__CURSOR', 's=1'],
    ['MESSAGE', Buffer.alloc(300_000, 'a\n')],
  ])
  const { entries } = framed(Buffer.concat([long, exported([['A', '1']])]), [65_536], 100_000)
  expect(entries).toEqual([
    {
      cursor: 's=1',
      bytes: long.subarray(0, 65_536),
      long: { length: long.length, sha256: sha256(long) },
    },
    { cursor: undefined, bytes: Buffer.from('A=1\n\n') },
  ])
})

test.each([
  ['a line without =', 'x'.repeat(300), /no = within/],
  ['a field without a name', '=x\n', /without a name/],
  ['an impossible size', `A\n${'\xff'.repeat(8)}`, /impossible size/],
  ['data that is longer than it says', 'A\n\x01\0\0\0\0\0\0\0xy\n\n', /no end of the line/],
  ['an entry that breaks off', 'A=1\nB=', /breaks off/],
])('%s is refused', (_, text, message) => {
  expect(decodeBody(Buffer.from(text, 'latin1'), 'journal-export')).toEqual({ broken: expect.stringMatching(message) })
})

test('bytes that are not UTF-8 are written out, and fields with one value keep the first', () => {
  const body = exported([
    ['MESSAGE', Buffer.from('caf\xe9 \xc3\xa9 \xe2\x82', 'latin1')],
    ['CODE_LINE', '1'],
    ['CODE_LINE', '2'],
  ])
  const decoded = decodeBody(body, 'journal-export')
  if ('broken' in decoded) throw new Error(decoded.broken)
  expect(JSON.parse(Buffer.from(decoded.bytes).toString())).toEqual({
    MESSAGE: 'caf\\xe9 é \\xe2\\x82',
    CODE_LINE: '1',
    REPEATED: { CODE_LINE: ['1', '2'] },
  })
})
