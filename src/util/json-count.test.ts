import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JsonValue } from '../model/json.ts'
import { hasMoreOf } from './json-count.ts'

/** Objects and lists in a value, by looking at each. */
function containers(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0
  return (Object.values(value) as JsonValue[]).reduce<number>((sum, inner) => sum + containers(inner), 1)
}

function members(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0
  const own = Array.isArray(value) ? 0 : Object.keys(value).length
  return (Object.values(value) as JsonValue[]).reduce<number>((sum, inner) => sum + members(inner), own)
}

test('counts what the parsed value has, whatever its strings contain', () => {
  const text = fc.stringMatching(/^[[\]{}:"\\a]{0,8}$/)
  const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, text, fc.nat(), fc.array(tie('value')), fc.dictionary(text, tie('value'))),
  }))
  fc.assert(
    fc.property(value, (one) => {
      const bytes = Buffer.from(JSON.stringify(one))
      for (const [characters, count] of [
        [[0x7b, 0x5b], containers(one)],
        [[0x3a], members(one)],
      ] as const) {
        expect(hasMoreOf(bytes, characters, count)).toBe(false)
        expect(count === 0 || hasMoreOf(bytes, characters, count - 1)).toBe(true)
      }
    }),
    { seed: 4848, numRuns: 500 },
  )
})
