import { expect, test } from 'vitest'
import type { MakerThread } from '../threads.ts'
import { type Job, type Seat, seatFor } from './seats.ts'

const GENERATION = 3
let last = 0

function job(losses = 0): Job {
  const work = { generation: GENERATION, ask: async () => {} }
  return { number: ++last, work, losses, deaths: 0, isParsed: true, wasReported: false, resolve: () => {}, reject: () => {} }
}

/** A maker of a node (absent: this one) and the number of batches that it does. */
function seat(node: string | undefined, busy: number, ready: readonly number[] = [GENERATION]): Seat {
  const jobs = new Set(Array.from({ length: busy }, () => job()))
  return { node, jobs, ready: new Set(ready), number: ++last, thread: {} as MakerThread, opening: new Map(), isGone: false }
}

/** The node that a batch is given to: `here`, another one, or `undefined` if it has to wait. */
function given(seats: readonly Seat[], { isSparing = false, losses = 0 } = {}): string | undefined {
  const found = seatFor(job(losses), seats, isSparing)
  return found && (found.node ?? 'here')
}

test('a batch is for the maker with the least to do, of another node if there are several', () => {
  expect(given([seat(undefined, 0), seat('a', 0)])).toBe('a')
  expect(given([seat(undefined, 0), seat('a', 1)])).toBe('here')
  expect(given([seat(undefined, 1), seat('a', 1)])).toBe('a')
  expect(given([seat(undefined, 2), seat('a', 2)])).toBeUndefined()
})

test('a node that spares its own makers waits for those of others', () => {
  const isSparing = true
  expect(given([seat(undefined, 0), seat('a', 1)], { isSparing })).toBe('a')
  expect(given([seat(undefined, 0), seat('a', 2)], { isSparing })).toBeUndefined()
  expect(given([seat(undefined, 0), seat('a', 2), seat('b', 0)], { isSparing })).toBe('b')
})

test('a node that spares its own makers uses them if no other one can do it', () => {
  const isSparing = true
  expect(given([seat(undefined, 0)], { isSparing })).toBe('here')
  expect(given([seat(undefined, 1), seat('a', 0, [GENERATION - 1])], { isSparing })).toBe('here')
  expect(given([seat(undefined, 1), seat('a', 0)], { isSparing, losses: 2 })).toBe('here')
  expect(given([seat(undefined, 1), seat('a', 0)], { isSparing, losses: 1 })).toBe('a')
})
