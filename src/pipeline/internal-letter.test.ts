import { expect, test } from 'vitest'
import type { Event } from '../model/event.ts'
import { MAX_DEAD_LETTER_BYTES } from '../model/outcome.ts'
import { sha256 } from '../util/hash.ts'
import { internalLetter } from './internal-letter.ts'

const event = (part: object = {}) =>
  ({ p_row_id: '0123456789abcdef000000000000002a', p_parse_time: '2024-01-01T00:00:01Z', a: 1, ...part }) as unknown as Event

test('the dead letter of an event that cannot be finished has its text, its place and what went wrong', () => {
  const text = JSON.stringify(event())
  expect(internalLetter(event(), 'web', new Error('it broke'))).toEqual({
    reason: 'internal',
    message: 'This event could not be processed: it broke. This is a bug in Caracal; the event is kept, please report it.',
    source: 'web',
    position: '0123456789abcdef:42',
    length: text.length,
    sha256: sha256(Buffer.from(text)),
    raw: Buffer.from(text),
    rowId: '0123456789abcdef000000000000002a',
    receivedMs: Date.UTC(2024, 0, 1, 0, 0, 1),
  })
})

test('a long text is cut, and its length and hash are those of all of it', () => {
  const long = event({ a: 'x'.repeat(2 * MAX_DEAD_LETTER_BYTES) })
  const letter = internalLetter(long, 'web', 'why')
  expect([letter.raw.length, letter.length]).toEqual([MAX_DEAD_LETTER_BYTES, JSON.stringify(long).length])
})

test('an event that cannot be written has a letter all the same', () => {
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  const letter = internalLetter(event({ circular }), 'web', new Error('x'))
  expect([letter.length, letter.raw.length, letter.position]).toEqual([0, 0, '0123456789abcdef:42'])
})
