import { expect, test } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { watchProcess } from './chdb-watch.ts'

const MINUTE = 60_000

function fakeProcess({
  ready = Promise.resolve() as Promise<void>,
  answers = true,
  oldestWrite = undefined as number | undefined,
} = {}) {
  const process = {
    answers,
    oldestWrite,
    pings: 0,
    ended: Promise.resolve() as Promise<void>,
    why: [] as string[],
    ready,
    ping: (): Promise<unknown> => {
      process.pings++
      return process.answers ? Promise.resolve() : new Promise(() => {})
    },
    end: (why: string) => {
      process.why.push(why)
      gone()
    },
  }
  let gone = () => {}
  process.ended = new Promise((resolve) => {
    gone = resolve
  })
  return process
}

test('a process that answers and finishes its writes is left alone', async () => {
  const clock = new ManualClock()
  const process = fakeProcess()
  watchProcess(process, clock)
  for (let minute = 0; minute < 60; minute++) {
    process.oldestWrite = clock.now()
    await clock.advance(MINUTE)
  }
  expect(process.why).toEqual([])
  expect(process.pings).toBeGreaterThan(100)
})

test('a process that has not answered for half a minute is ended, once', async () => {
  const clock = new ManualClock()
  const process = fakeProcess()
  watchProcess(process, clock)
  await clock.advance(MINUTE)
  process.answers = false
  await clock.advance(25_000)
  expect(process.why).toEqual([])
  await clock.advance(10 * MINUTE)
  expect(process.why).toEqual(['it had not responded for 30 seconds'])
  expect(clock.waiting).toBe(0)
})

test('a process that never finishes a write is ended', async () => {
  const clock = new ManualClock()
  const process = fakeProcess({ oldestWrite: 0 })
  watchProcess(process, clock)
  await clock.advance(10 * MINUTE)
  expect(process.why).toEqual([])
  await clock.advance(10_000)
  expect(process.why).toEqual(['it had not finished a write within 10 minutes'])
})

test('a process that takes long to open the lake is left alone, and gets no requests before', async () => {
  const clock = new ManualClock()
  const process = fakeProcess({ ready: new Promise(() => {}), answers: false, oldestWrite: 0 })
  watchProcess(process, clock)
  await clock.advance(24 * 60 * MINUTE)
  expect([process.why, process.pings]).toEqual([[], 0])
})

test('a process that ends by itself is no longer watched', async () => {
  const clock = new ManualClock()
  const process = fakeProcess({ answers: false })
  watchProcess(process, clock)
  process.end('by itself')
  await clock.advance(10 * MINUTE)
  expect([process.why, process.pings, clock.waiting]).toEqual([['by itself'], 0, 0])
})
