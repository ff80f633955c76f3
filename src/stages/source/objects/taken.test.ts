import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Cursor } from '../../../model/batch.ts'
import { objectId, takenOf } from './taken.ts'

const HOUR = 3_600_000
const config = { prefixes: [{ prefix: 'logs/' }], window_hours: 1 }
const named = (key: string, modifiedMs: number) => ({ key, etag: 'e', size: 1, modifiedMs })

/** The state as the pipeline stores it: the last cursor of each place. */
class State {
  readonly cursors = new Map<string, Cursor>()
  taken = takenOf(config, []).get('logs/')!

  read(key: string, modifiedMs: number): string {
    const object = named(key, modifiedMs)
    const id = objectId('s3://b', object)
    this.taken.advance(modifiedMs)
    const cursor = this.taken.read(id, object, undefined)
    this.cursors.set(cursor.place, structuredClone(cursor))
    return id
  }

  restart(): void {
    this.taken = takenOf(config, [...this.cursors.values()]).get('logs/')!
  }
}

test('whatever the order of keys and times, an object of the window is known after a restart, and nothing else stays for long', () => {
  const minutes = fc.array(fc.integer({ min: 0, max: 59 }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(minutes, (late) => {
      const state = new State()
      const times = late.map((minute, i) => i * 10 * 60_000 - minute * 60_000 + HOUR)
      const ids = times.map((ms, i) => state.read(`logs/${i}`, ms))
      state.restart()
      const newest = Math.max(...times)
      for (const [i, id] of ids.entries()) if (times[i]! >= newest - HOUR) expect(state.taken.has(id)).toBe(true)
      expect(state.taken.horizonMs).toBe(Math.max(0, newest - HOUR))
    }),
  )
})

test('the state does not grow with the number of objects, but with those of the window', () => {
  const state = new State()
  for (let i = 0; i < 20_000; i++) state.read(`logs/${i}`, i * 60_000)
  const remembered = [...state.cursors.values()].flatMap(({ value }) => Object.keys((value as { taken: object }).taken))
  // 60 in the window, and what a slot has kept until it is written again: at most one window's worth per slot.
  expect(remembered.length).toBeLessThan(1000)
  expect(state.cursors.size).toBeLessThanOrEqual(256)
})

test('a longer prefix does not read again what a shorter one has left behind', () => {
  const state = new State()
  state.read('logs/a', 10 * HOUR)
  const all = takenOf({ ...config, prefixes: [{ prefix: 'logs/nginx/' }, { prefix: 'other/' }] }, [...state.cursors.values()])
  expect(all.get('logs/nginx/')!.horizonMs).toBe(9 * HOUR)
  expect(all.get('other/')!.horizonMs).toBe(0)
})

test('an object read in part stays open until all of it was read', () => {
  const state = new State()
  const object = named('logs/large', HOUR)
  const id = objectId('s3://b', object)
  const progress = { object, offset: 5, context: 'c', framing: 'lines' as const }
  const cursor = state.taken.read(id, object, progress)
  state.cursors.set(cursor.place, structuredClone(cursor))
  state.restart()
  expect([...state.taken.open]).toEqual([[id, progress]])
  state.read('logs/large', HOUR)
  state.restart()
  expect([state.taken.open.size, state.taken.has(id)]).toEqual([0, true])
})
