import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fuzzRuns } from '../../../test/support/fuzz.ts'
import type { JsonValue } from '../../model/json.ts'
import { MsgpackFrames, MsgpackTooLarge } from './frames.ts'
import { MalformedMsgpack } from './head.ts'
import { MsgpackReader } from './reader.ts'
import { msgpackOf, type Writable } from './write.ts'

const read = (hex: string): JsonValue => new MsgpackReader(Buffer.from(hex, 'hex')).value()

test.each<[string, JsonValue]>([
  ['c0', null],
  ['c2', false],
  ['c3', true],
  ['00', 0],
  ['7f', 127],
  ['ff', -1],
  ['e0', -32],
  ['ccff', 255],
  ['cdffff', 65_535],
  ['ceffffffff', 4_294_967_295],
  ['cf0000000000000001', 1],
  ['cfffffffffffffffff', 18_446_744_073_709_551_615n],
  ['d080', -128],
  ['d18000', -32_768],
  ['d280000000', -2_147_483_648],
  ['d38000000000000000', -9_223_372_036_854_775_808n],
  ['ca3fc00000', 1.5],
  ['cb3ff8000000000000', 1.5],
  ['cb7ff8000000000000', 'NaN'],
  ['a2c3a9', 'é'],
  ['d902c3a9', 'é'],
  ['c402c3a9', 'é'],
  ['a1ff', '�'],
  ['d600deadbeef', 'deadbeef'],
  ['c70300010203', '010203'],
  ['920102', [1, 2]],
  ['dc0001c0', [null]],
  ['81a16101', { a: 1 }],
  ['de0001a161dd00000000', { a: [] }],
  ['8101a178', { '1': 'x' }],
])('%s is read exactly', (hex, value) => {
  expect(read(hex)).toEqual(value)
})

test('a key __proto__ is a member like any other', () => {
  const value = read('81a95f5f70726f746f5f5f81a16101') as object
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  expect(JSON.stringify(value)).toBe('{"__proto__":{"a":1}}')
})

test.each([
  ['', /ends within a value/],
  ['a261', /ends within a value/],
  ['dbffffffff', /ends within a value/],
  ['ddffffffff01', /ends within a value/],
  ['c1', /no value begins with the byte 0xc1/],
  ['91'.repeat(70), /nested more than 64 deep/],
])('%s is refused', (hex, message) => {
  expect(() => read(hex)).toThrow(message)
})

test('a value of too many tiny values is refused', () => {
  const bytes = Buffer.concat([Buffer.from('dd00200000', 'hex'), Buffer.alloc(0x200000, 0x90)])
  expect(() => new MsgpackReader(bytes).value()).toThrow('more than 1000000 values')
})

const written = fc.letrec<{ value: Writable }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false),
    fc.nat(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(fc.string({ maxLength: 5 }), tie('value')),
  ),
})).value

test('values arrive as they were written, however the bytes are split', () => {
  fc.assert(
    fc.property(fc.array(written, { maxLength: 5 }), fc.array(fc.nat(30), { minLength: 1 }), (values, sizes) => {
      const bytes = Buffer.concat(values.map(msgpackOf))
      const frames = new MsgpackFrames(1_000_000)
      const seen: JsonValue[] = []
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const next = at + sizes[i % sizes.length]! + 1
        // The piece's memory is used again by whoever owns it.
        const piece = Buffer.from(bytes.subarray(at, next))
        for (const frame of frames.push(piece)) seen.push(new MsgpackReader(frame).value())
        at = next
      }
      expect(frames.held).toBe(0)
      // As JSON, which has no -0.
      expect(JSON.stringify(seen)).toBe(JSON.stringify(values))
    }),
    { numRuns: 300, seed: 7 },
  )
})

test('any bytes are values or refused, and take no longer than they are long', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const frames = new MsgpackFrames(1000)
      try {
        for (const frame of frames.push(Buffer.from(bytes))) new MsgpackReader(frame).value()
      } catch (error) {
        if (!(error instanceof MalformedMsgpack) && !(error instanceof MsgpackTooLarge)) throw error
      }
    }),
    { numRuns: fuzzRuns(), seed: 7 },
  )
})

test.each(['dbffffffff', 'ddffffffff', 'dfffffffff', 'c6000003f0', '9292dd00000400'])(
  '%s announces more than the limit, which is enough to refuse it',
  (hex) => {
    expect(() => [...new MsgpackFrames(1000).push(Buffer.from(hex, 'hex'))]).toThrow(MsgpackTooLarge)
  },
)
