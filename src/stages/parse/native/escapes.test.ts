import fc from 'fast-check'
import { expect, test } from 'vitest'
import { undoEscapes } from './escapes.ts'

test.each([
  ['plain', 'plain', 'nothing to undo'],
  [String.raw`a\x22b\x5Cc`, 'a"b\\c', 'nginx'],
  [String.raw`a\"b\\c\tD`, 'a"b\\c\tD', 'Apache'],
  [String.raw`/caf\xC3\xA9`, '/café', 'bytes of UTF-8'],
  [String.raw`\x16\x03\x01\x00\xEE`, String.raw`\x16\x03\x01\x00\xEE`, 'a TLS handshake is kept as written'],
  [String.raw`\xAD\x22`, String.raw`\xAD\x22`, 'bytes that are not UTF-8 are kept as written, with all others of the value'],
  [String.raw`C:\dir`, String.raw`C:\dir`, 'a backslash that begins no escape'],
  [String.raw`\x4`, String.raw`\x4`, 'an escape that was cut off'],
  ['end\\', 'end\\', 'a backslash at the end'],
])('%j is %j: %s', (written, text) => {
  expect(undoEscapes(written)).toBe(text)
})

test('what a server escapes comes back', () => {
  const written = (text: string) =>
    [...Buffer.from(text)]
      .map((byte) =>
        byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c
          ? `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`
          : String.fromCharCode(byte),
      )
      .join('')
  const printable = fc.string({ unit: 'grapheme' }).filter((text) => !/\p{Cc}/u.test(text))
  fc.assert(
    fc.property(printable, (text) => {
      expect(undoEscapes(written(text))).toBe(text)
    }),
  )
})
