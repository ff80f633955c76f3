import { expect, test } from 'vitest'
import { JobTurns } from './job-turns.ts'

/** The order in which queries begin if each ends before the next begins. */
function order(turns: JobTurns): string[] {
  const begun: string[] = []
  for (let id = turns.next(); id !== undefined; id = turns.next()) {
    begun.push(id)
    turns.over(id)
  }
  return begun
}

test('owners take turns, each with the oldest query first', () => {
  const turns = new JobTurns(1)
  for (const id of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) turns.add(id, id[0]!)
  expect(order(turns)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
})

test('whoever has a query running waits until others have one', () => {
  const turns = new JobTurns(2)
  turns.add('a1', 'a')
  turns.add('a2', 'a')
  turns.add('a3', 'a')
  expect([turns.next(), turns.next(), turns.next()]).toEqual(['a1', 'a2', undefined])
  turns.add('b1', 'b')
  turns.over('a1')
  expect([turns.count('a'), turns.count(), turns.next()]).toEqual([2, 3, 'b1'])
  turns.over('a3')
  turns.over('a2')
  expect([turns.count('a'), turns.next()]).toEqual([0, undefined])
})
