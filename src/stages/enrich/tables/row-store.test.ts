import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../../../model/json.ts'
import { parseJson, stringifyJson } from '../../../util/json.ts'
import { RowStore, RowStoreBuilder } from './row-store.ts'

function storeOf(rows: readonly JsonObject[]) {
  const builder = new RowStoreBuilder()
  for (const row of rows) builder.add(row)
  return new RowStore(builder.build(), undefined)
}

test('rows survive a round trip, whatever their columns and values', () => {
  const value = fc.oneof(fc.jsonValue(), fc.bigInt({ min: 2n ** 60n, max: 2n ** 64n })) as fc.Arbitrary<JsonValue>
  const column = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 4 }), fc.constantFrom('__proto__', 'ip', 'constructor'))
  fc.assert(
    fc.property(fc.array(fc.dictionary(column, value), { maxLength: 20 }), (made) => {
      const rows = made.map((row) => read(stringifyJson(row)))
      const store = storeOf(rows)
      expect(rows.map((_, i) => store.get(i).values)).toEqual(rows)
    }),
    { seed: 4848, numRuns: 300 },
  )
})

test('more bytes of rows than allowed are refused', () => {
  const builder = new RowStoreBuilder(1000)
  builder.add({ note: 'a'.repeat(900) })
  expect(() => builder.add({ note: 'a'.repeat(100) })).toThrow('more than 1000 bytes')
})

test('a row that is read after a thousand others is still correct', () => {
  const store = storeOf(Array.from({ length: 5000 }, (_, n) => ({ n })))
  const asked = [0, 1024, 2048, 0, 4999, 1024]
  expect(asked.map((n) => store.get(n).values['n'])).toEqual(asked)
})

/** A row as read from a file. */
function read(text: string): JsonObject {
  const result = parseJson(text, { maxDepth: 100 })
  if (result.kind !== 'ok') throw new Error(result.message)
  return result.value as JsonObject
}
