import { expect, test } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { Culprits } from './culprits.ts'
import { QueryBarred } from './lake.ts'

const MINUTE = 60_000

test('a text that ended the process twice within an hour is refused for an hour from the second time', async () => {
  const clock = new ManualClock()
  const culprits = new Culprits(clock)
  culprits.blame('SELECT 1')
  await clock.advance(59 * MINUTE)
  culprits.check('SELECT 1')
  culprits.blame(' SELECT 1\n')
  expect(() => culprits.check('SELECT 1')).toThrow(QueryBarred)
  expect(() => culprits.check('SELECT 1')).toThrow('2 times within an hour and is refused for 60 min')
  culprits.check('SELECT 2')
  await clock.advance(59 * MINUTE)
  expect(() => culprits.check('SELECT 1')).toThrow('refused for 1 min')
  await clock.advance(MINUTE)
  culprits.check('SELECT 1')
})

test('two ends further apart are forgiven', async () => {
  const clock = new ManualClock()
  const culprits = new Culprits(clock)
  for (let i = 0; i < 5; i++) {
    culprits.blame('SELECT 1')
    await clock.advance(60 * MINUTE)
    culprits.check('SELECT 1')
  }
})

test('suspects run one at a time, all others without waiting', async () => {
  const clock = new ManualClock()
  const culprits = new Culprits(clock)
  for (const sql of ['a', 'b']) culprits.blame(sql)
  const began: string[] = []
  const turns = ['a', 'b', 'innocent', 'a'].map(async (sql) => {
    const over = await culprits.turn(sql)
    began.push(sql)
    return over
  })
  await clock.advance(0)
  expect(began).toEqual(['innocent', 'a'])
  const [a, b] = turns
  void a!.then((over) => over())
  await clock.advance(0)
  expect(began).toEqual(['innocent', 'a', 'b'])
  void b!.then((over) => over())
  await clock.advance(0)
  expect(began).toEqual(['innocent', 'a', 'b', 'a'])
})

test('only a limited number of the latest texts is remembered', () => {
  const culprits = new Culprits(new ManualClock())
  for (let i = 0; i < 3000; i++) for (let twice = 0; twice < 2; twice++) culprits.blame(`SELECT ${i}`)
  culprits.check('SELECT 0')
  expect(() => culprits.check('SELECT 2999')).toThrow(QueryBarred)
})
