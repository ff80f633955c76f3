import fc from 'fast-check'
import { expect, test } from 'vitest'
import { field, fixed64, message } from './protobuf.fixture.ts'
import { bytesOf, MalformedProtobuf, numberOf, protobufFields, textOf } from './protobuf.ts'

test('fields come back as they were written', () => {
  const one = fc.oneof(
    fc.record({ number: fc.integer({ min: 1, max: 536_870_911 >> 3 }), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
    fc.record({ number: fc.integer({ min: 1, max: 15 }), value: fc.uint8Array({ maxLength: 300 }) }),
  )
  fc.assert(
    fc.property(fc.array(one, { maxLength: 10 }), (fields) => {
      const bytes = Buffer.concat(fields.map(({ number, value }) => field(number, value)))
      const found = [...protobufFields(bytes)]
      expect(found.map(({ number }) => number)).toEqual(fields.map(({ number }) => number))
      expect(found.map(({ value }) => (typeof value === 'bigint' ? value : [...value]))).toEqual(
        fields.map(({ value }) => (typeof value === 'bigint' ? value : [...value])),
      )
    }),
    { numRuns: 200, seed: 11 },
  )
})

test('fixed-width values are read as unsigned integers', () => {
  const four = Buffer.from([(2 << 3) | 5, 1, 0, 0, 0x80])
  expect([...protobufFields(Buffer.concat([fixed64(1, 2n ** 63n), four]))]).toEqual([
    { number: 1, value: 2n ** 63n },
    { number: 2, value: 2147483649n },
  ])
})

test.each<[string, Buffer, RegExp]>([
  ['a number without an end', Buffer.from([0x08, 0x80]), /ends within a number/],
  ['a number that is too long', Buffer.from([0x08, ...new Array(11).fill(0xff)]), /more than ten bytes/],
  ['a field that is longer than the message', Buffer.from([0x0a, 5, 1]), /ends within a field/],
  ['a length of 2^63', Buffer.from([0x0a, ...new Array(9).fill(0xff), 1]), /ends within a field/],
  ['a cut fixed-width value', Buffer.from([0x09, 1, 2]), /ends within a field/],
  ['the number 0', Buffer.from([0x00, 1]), /number 0/],
  ['a group', Buffer.from([0x0b]), /wire type 3/],
])('%s is malformed', (_, bytes, why) => {
  expect(() => [...protobufFields(bytes)]).toThrow(MalformedProtobuf)
  expect(() => [...protobufFields(bytes)]).toThrow(why)
})

test('a value of another type than expected is malformed', () => {
  const [number, text] = [...protobufFields(Buffer.concat([field(1, 1n), message(2, field(1, 'x'))]))].map(({ value }) => value)
  expect(() => textOf(number!)).toThrow(MalformedProtobuf)
  expect(() => bytesOf(number!)).toThrow(MalformedProtobuf)
  expect(() => numberOf(text!)).toThrow(MalformedProtobuf)
})
