import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sliceCrossing, splitBatch } from './split.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const lines = fc.array(
  fc.string({ unit: 'grapheme' }).map((line) => line.replaceAll('\n', ' ')),
  { maxLength: 40 },
)

test('the crossings together are the batch, each within its limits or a single event', () => {
  fc.assert(
    fc.property(lines, fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 60 }), (events, maxEvents, maxBytes) => {
      const text = events.map((event) => `${event}\n`).join('')
      const crossings = [...splitBatch(encoder.encode(text), maxEvents, maxBytes)]
      expect(crossings.map((c) => decoder.decode(c.ndjson)).join('')).toBe(text)
      let first = 0
      for (const crossing of crossings) {
        expect(crossing.first).toBe(first)
        expect(decoder.decode(crossing.ndjson).split('\n').length - 1).toBe(crossing.count)
        expect(crossing.count === 1 || (crossing.count <= maxEvents && crossing.ndjson.length <= maxBytes)).toBe(true)
        first += crossing.count
      }
      expect(first).toBe(events.length)
    }),
    { seed: 7 },
  )
})

test('a slice of a crossing contains exactly its events', () => {
  fc.assert(
    fc.property(lines, fc.nat(), fc.nat(), (events, a, b) => {
      const from = Math.min(a, b) % (events.length + 1)
      const to = from + (Math.max(a, b) % (events.length + 1 - from))
      const ndjson = encoder.encode(events.map((event) => `${event}\n`).join(''))
      const slice = sliceCrossing({ ndjson, count: events.length, first: 100 }, from, to)
      expect(decoder.decode(slice.ndjson)).toBe(
        events
          .slice(from, to)
          .map((event) => `${event}\n`)
          .join(''),
      )
      expect(slice).toMatchObject({ count: to - from, first: 100 + from })
    }),
    { seed: 7 },
  )
})
