import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromWire, toWire } from './wire.ts'

const view = fc.oneof(
  fc.uint8Array(),
  fc.uint32Array(),
  fc.int32Array(),
  fc.float64Array(),
  fc.uint8ClampedArray(),
  fc.bigInt64Array(),
)
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.anything({ withDate: true, withBigInt: true, withMap: true, withSet: true }),
    view,
    tie('all'),
  ),
  all: fc.oneof(fc.array(tie('any')), fc.dictionary(fc.string(), tie('any'))),
})).any

test('another process reads what a thread would get', () => {
  fc.assert(
    fc.property(value, (message) => {
      expect(fromWire(toWire(message))).toEqual(structuredClone(message))
    }),
    { seed: 6 },
  )
})

test('a view becomes one over a buffer of its own, whatever it was part of', () => {
  const all = new Uint8Array([1, 2, 3, 4, 5, 6])
  const [one, two] = fromWire(toWire([all.subarray(1, 3), all.subarray(3)])) as Uint8Array[]
  expect([one!.length, one!.buffer.byteLength, [...one!]]).toEqual([2, 2, [2, 3]])
  expect([two!.buffer.byteLength, [...two!]]).toEqual([3, [4, 5, 6]])
  expect(one!.buffer).not.toBe(two!.buffer)
})

test('shared memory arrives as shared memory', () => {
  const shared = new Uint32Array(new SharedArrayBuffer(8))
  shared.set([7, 8])
  const { table, own } = fromWire(toWire({ table: shared, own: new Uint32Array([9]) })) as Record<string, Uint32Array>
  expect(table!.buffer).toBeInstanceOf(SharedArrayBuffer)
  expect([...table!]).toEqual([7, 8])
  expect(own!.buffer).toBeInstanceOf(ArrayBuffer)
})

test('what has no meaning elsewhere is refused', () => {
  expect(() => toWire({ run: () => 1 })).toThrow(/could not be cloned/)
  expect(() => toWire(new DataView(new ArrayBuffer(2)))).toThrow('DataView cannot be sent to another process')
})
