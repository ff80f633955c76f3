import { expect, test } from 'vitest'
import { BUSY } from '../stages/source/source.ts'
import { ListSource } from './loop.fixture.ts'
import { Turns } from './turns.ts'

test('a source that has used up its turn delays no other, and does not count as empty', async () => {
  const busy = new ListSource('busy', [])
  Object.assign(busy, { next: async () => BUSY })
  const turns = new Turns([busy, new ListSource('other', ['a\n'])], { now: () => 0, pauseMs: 500, onTrouble: () => {} })
  expect((await turns.next())?.source.id).toBe('other')
  expect([turns.isDry('busy'), turns.isDry('other')]).toEqual([false, false])
  expect(await turns.next((id) => id === 'other')).toBeUndefined()
  expect(turns.isDry('busy')).toBe(false)
})

test('a source that fails is paused for longer each time, up to ten seconds, until it works', async () => {
  let now = 0
  const failing = new ListSource('failing', [])
  Object.assign(failing, { next: async () => Promise.reject(new Error('no')) })
  const troubles: (string | undefined)[] = []
  const turns = new Turns([failing], { now: () => now, pauseMs: 500, onTrouble: (_, message) => troubles.push(message) })
  expect(turns.untilNextMs).toBe(Number.POSITIVE_INFINITY)
  const pauses: number[] = []
  for (let i = 0; i < 7; i++) {
    await turns.next()
    pauses.push(turns.untilNextMs)
    expect(turns.isPausing('failing')).toBe(true)
    now += turns.untilNextMs
    expect(turns.isPausing('failing')).toBe(false)
  }
  expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000])
  turns.worked('failing')
  expect([turns.untilNextMs, troubles.length, troubles.at(-1)]).toEqual([Number.POSITIVE_INFINITY, 8, undefined])
})
