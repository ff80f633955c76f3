import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DeadLetter } from '../model/outcome.ts'
import { readBlock } from '../util/block/read.ts'
import { DEAD_LETTERS, deadLetterRow, rowsOf } from './rows.ts'

test('a dead letter fits its table whatever its texts and bytes are, since it could be stored nowhere else', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\ud800', '\udc00', 'é', '\0') })
  const letter = fc.record({ message: text, source: text, position: text, rowId: text, raw: fc.uint8Array() })
  fc.assert(
    fc.property(letter, (some) => {
      const whole = { ...some, reason: 'internal', length: some.raw.length, sha256: '' } satisfies DeadLetter
      const made = rowsOf(DEAD_LETTERS, [deadLetterRow(whole, '2024-01-01T00:00:00Z')])
      const [row] = made.flatMap(({ spec, rows }) => readBlock(spec.columns, rows))
      expect(row!.slice(1, 6)).toEqual(
        [some.rowId, 'internal', some.message, some.source, some.position].map((one) => one.toWellFormed()),
      )
    }),
    { seed: 15, numRuns: 200 },
  )
})
