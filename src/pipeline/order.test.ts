import { expect, test } from 'vitest'
import { Order } from './order.ts'

test('work is done in the order of its places, whenever it is passed in, and an abandoned place blocks no other', async () => {
  const order = new Order()
  const [first, left, last] = [order.place(), order.place(), order.place()]
  const done: string[] = []
  const say = (word: string) => async () => void done.push(word)
  const all = [last.run(say('last')), order.run(say('behind'))]
  left.leave()
  await first.run(say('first'))
  await Promise.all(all)
  expect(done).toEqual(['first', 'last', 'behind'])
})

test('failed work blocks no other, and a place abandoned early does not let others overtake those before it', async () => {
  const order = new Order()
  const [first, second, third] = [order.place(), order.place(), order.place()]
  second.leave()
  const done: string[] = []
  const behind = third.run(async () => void done.push('third'))
  await new Promise((resolve) => setImmediate(resolve))
  expect(done).toEqual([])
  await expect(first.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  await behind
  expect(done).toEqual(['third'])
})
