import { expect, test } from 'vitest'
import { ListSource } from './loop.fixture.ts'
import { watchedSource } from './watched-source.ts'

test('a call in progress is timed, one that returned or failed is not', async () => {
  let nowMs = 100
  let answer: (value: undefined) => void = () => {}
  const source = new ListSource('s', ['a\n'])
  const watched = watchedSource(source, () => nowMs)
  expect(await watched.next()).toEqual({ kind: 'list', at: 0 })
  expect(watched.waitingMs()).toBe(0)
  source.next = () =>
    new Promise((resolve) => {
      answer = resolve
    })
  const hanging = watched.next()
  nowMs = 40_100
  expect(watched.waitingMs()).toBe(40_000)
  answer(undefined)
  await hanging
  expect(watched.waitingMs()).toBe(0)
  source.read = () => Promise.reject(new Error('EIO'))
  await expect(watched.read({ kind: 'list' })).rejects.toThrow('EIO')
  expect(watched.waitingMs()).toBe(0)
})
