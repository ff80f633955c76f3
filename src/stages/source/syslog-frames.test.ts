import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fuzzRuns } from '../../../test/support/fuzz.ts'
import { SyslogFrames } from './syslog-frames.ts'

function messagesOf(pieces: readonly (string | Uint8Array)[], maxBytes = 1000): string[] {
  const messages: string[] = []
  const frames = new SyslogFrames(maxBytes, (message) => messages.push(message.toString('latin1')))
  for (const piece of pieces) frames.push(Buffer.from(piece as string))
  frames.end()
  return messages
}

test.each<[string, string, string[]]>([
  ['lines', '<1>a\n<2>b\n', ['<1>a', '<2>b']],
  ['a last line without a newline', '<1>a\n<2>b', ['<1>a', '<2>b']],
  ['carriage returns and NUL at the end', '<1>a\r\n<2>b\0\n', ['<1>a', '<2>b']],
  ['blank lines', '\n\n<1>a\n \n', ['<1>a']],
  ['counted messages', '4 <1>a5 <2>bb', ['<1>a', '<2>bb']],
  ['a counted message of several lines', '8 <1>a\nb\nc4 <2>d', ['<1>a\nb\nc', '<2>d']],
  ['both framings in one connection', '4 <1>a<2>b\n4 <3>c', ['<1>a', '<2>b', '<3>c']],
  ['a newline behind a counted message', '4 <1>a\n4 <2>b\n', ['<1>a', '<2>b']],
  ['a line that begins with a number', '2024 was long\n7\n8 \n', ['2024 was long', '7', '8 ']],
  ['a number with a zero before it', '04 <1>a\n', ['04 <1>a']],
  ['a number of too many digits', '123456789 <1>a\n', ['123456789 <1>a']],
  ['a count that is too small', '4 <1>abc\n<2>d\n', ['<1>a', 'bc', '<2>d']],
  ['a count that the connection does not reach', '40 <1>a', ['<1>a']],
  ['digits at the end', '<1>a\n12', ['<1>a', '12']],
])('%s', (_, sent, messages) => {
  expect(messagesOf([sent])).toEqual(messages)
  expect(messagesOf([...sent])).toEqual(messages)
})

test('a message over the limit continues in further ones', () => {
  expect(messagesOf(['<1>abcdefgh\n11 <2>ABCDEFGH<3>x\n'], 5)).toEqual(['<1>ab', 'cdefg', 'h', '<2>AB', 'CDEFG', 'H', '<3>x'])
})

test('messages arrive as they were sent, however they are framed and cut into pieces', () => {
  const message = fc
    .tuple(fc.integer({ min: 0, max: 191 }), fc.string({ unit: fc.constantFrom('a', '7', ' ', '<', '\n', 'é'), maxLength: 30 }))
    .map(([priority, text]) => `<${priority}>${text}z`)
  const framed = fc.record({ message, isCounted: fc.boolean() })
  fc.assert(
    fc.property(fc.array(framed), fc.array(fc.nat(200)), (list, cuts) => {
      const sent = list.map(({ message, isCounted }) => ({
        text: isCounted ? message : message.replaceAll('\n', ' '),
        isCounted,
      }))
      const bytes = Buffer.from(
        sent.map(({ text, isCounted }) => (isCounted ? `${Buffer.byteLength(text)} ${text}` : `${text}\n`)).join(''),
      )
      const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length]
      const pieces = at.slice(1).map((end, i) => bytes.subarray(at[i]!, end))
      expect(messagesOf(pieces)).toEqual(sent.map(({ text }) => Buffer.from(text).toString('latin1')))
    }),
    { numRuns: fuzzRuns(), seed: 1 },
  )
})

test('of any bytes, none but white space, line ends and counts is lost, and memory stays within the limit', () => {
  const hostile = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom('3 <', '99999999 <', '5 <1>ab', '\n', '<1>').map(Buffer.from as never),
    ),
  ) as fc.Arbitrary<Uint8Array[]>
  fc.assert(
    fc.property(hostile, (pieces) => {
      const whole = Buffer.concat(pieces).toString('latin1')
      let kept = ''
      const frames = new SyslogFrames(16, (message) => {
        expect(message.length).toBeLessThanOrEqual(16)
        kept += message.toString('latin1')
      })
      for (const piece of pieces) {
        frames.push(Buffer.from(piece))
        expect(frames.capacity).toBeLessThanOrEqual(256)
      }
      frames.end()
      const strip = (text: string) => text.replace(/[\0-\x20]|\d/g, '')
      expect(strip(kept)).toBe(strip(whole))
    }),
    { numRuns: fuzzRuns(), seed: 1 },
  )
})
