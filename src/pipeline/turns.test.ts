import { expect, test } from 'vitest'
import { BUSY } from '../stages/source/source.ts'
import { ListSource } from './loop.fixture.ts'
import { Turns } from './turns.ts'

test('a source that has read as much as a turn may cost holds up no other, and does not count as empty', async () => {
  const busy = new ListSource('busy', [])
  Object.assign(busy, { next: async () => BUSY })
  const turns = new Turns([busy, new ListSource('other', ['a\n'])], { now: () => 0, onTrouble: () => {} })
  expect((await turns.next())?.source.id).toBe('other')
  expect([turns.isDry('busy'), turns.isDry('other')]).toEqual([false, false])
  expect(await turns.next((id) => id === 'other')).toBeUndefined()
  expect(turns.isDry('busy')).toBe(false)
})
