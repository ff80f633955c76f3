import { expect, test } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { Refused, RetryLater } from '../../util/errors.ts'
import { LakeEnded } from './lake.ts'
import { GRACE_MS, QueryLimit } from './query-limit.ts'

/** A query in a lake that responds to cancellation, and a record of the calls. */
function fakeQuery({ hasBegun = true, stops = true } = {}) {
  let [resolve, reject] = [(_: string) => {}, (_: Error) => {}]
  const answer = new Promise<string>((done, failed) => {
    resolve = done
    reject = failed
  })
  const done: string[] = []
  const query = {
    answer,
    hasBegun,
    cancel: () => {
      done.push('cancelled')
      if (stops) reject(new Refused('the engine says: cancelled'))
    },
  }
  const endProcess = () => {
    done.push('process ended')
    reject(new RetryLater("the lake's process was ended"))
  }
  return { query, endProcess, done, resolve, reject }
}

/** The outcome, as one word and the message. */
async function outcome(promise: Promise<string>): Promise<unknown> {
  return await promise.then(
    (value) => ['answered', value],
    (error: Error) => [error.constructor.name, error.message],
  )
}

test('an answer in time is the answer', async () => {
  const [clock, fake] = [new ManualClock(), fakeQuery()]
  const watched = outcome(new QueryLimit(1000, clock).watch(fake.query, fake.endProcess))
  await clock.advance(999)
  fake.resolve('rows')
  await clock.advance(5000)
  expect([await watched, fake.done]).toEqual([['answered', 'rows'], []])
})

test("the engine's own refusal is passed on", async () => {
  const fake = fakeQuery()
  const watched = outcome(new QueryLimit(1000, new ManualClock()).watch(fake.query, fake.endProcess))
  fake.reject(new Refused('no such column'))
  expect([await watched, fake.done]).toEqual([['Refused', 'no such column'], []])
})

test('a query past its limit is stopped', async () => {
  const [clock, fake] = [new ManualClock(), fakeQuery()]
  const watched = outcome(new QueryLimit(1000, clock).watch(fake.query, fake.endProcess))
  await clock.advance(1000)
  expect(await watched).toEqual(['Refused', 'the query was ended after its time limit of 1000 ms'])
  await clock.advance(60_000)
  expect(fake.done).toEqual(['cancelled'])
})

test('the process is ended when the engine has not stopped a query by the end of the grace period, and not before', async () => {
  const [clock, fake] = [new ManualClock(), fakeQuery({ stops: false })]
  const watched = outcome(new QueryLimit(1000, clock).watch(fake.query, fake.endProcess))
  await clock.advance(1000 + GRACE_MS - 1)
  expect(fake.done).toEqual(['cancelled'])
  await clock.advance(1)
  expect(fake.done).toEqual(['cancelled', 'process ended'])
  expect(await watched).toEqual(['LakeEnded', expect.stringMatching(/time limit of 1000 ms; the engine could not stop it/)])
})

test('an answer within the grace period is still returned', async () => {
  const [clock, fake] = [new ManualClock(), fakeQuery({ stops: false })]
  const watched = outcome(new QueryLimit(1000, clock).watch(fake.query, fake.endProcess))
  await clock.advance(1000 + GRACE_MS - 1)
  fake.resolve('rows')
  expect(await watched).toEqual(['answered', 'rows'])
})

test('a query that never began may be retried', async () => {
  const [clock, fake] = [new ManualClock(), fakeQuery({ hasBegun: false })]
  const watched = outcome(new QueryLimit(1000, clock).watch(fake.query, fake.endProcess))
  await clock.advance(1000)
  expect(await watched).toEqual(['RetryLater', expect.stringContaining('did not begin within its time limit of 1000 ms')])
  await clock.advance(60_000)
  expect(fake.done).toEqual(['cancelled'])
})

test('a query that begins while its cancellation is on the way is still ended, although no caller waits for it', async () => {
  const [clock, fake] = [new ManualClock(), fakeQuery({ hasBegun: false, stops: false })]
  const watched = outcome(new QueryLimit(1000, clock).watch(fake.query, fake.endProcess))
  await clock.advance(1000)
  expect(await watched).toEqual(['RetryLater', expect.anything()])
  fake.query.hasBegun = true
  await clock.advance(GRACE_MS)
  expect(fake.done).toEqual(['cancelled', 'process ended'])
})

test('a query is ended the same way if its caller goes away', async () => {
  const [clock, caller] = [new ManualClock(), new AbortController()]
  const [stops, stays] = [fakeQuery(), fakeQuery({ stops: false })]
  const limit = () => new QueryLimit(60_000, clock, caller.signal)
  const ends = [stops, stays].map((fake) => outcome(limit().watch(fake.query, fake.endProcess)))
  caller.abort()
  await clock.advance(GRACE_MS)
  expect(await Promise.all(ends)).toEqual([
    ['Refused', 'the query was cancelled'],
    [LakeEnded.name, expect.stringContaining('the query was cancelled; the engine could not stop it')],
  ])
  const late = fakeQuery()
  expect(await outcome(limit().watch(late.query, late.endProcess))).toEqual(['Refused', 'the query was cancelled'])
})

test('waiting for a prerequisite counts too', async () => {
  const clock = new ManualClock()
  const limit = new QueryLimit(1000, clock)
  expect(await limit.before('the lake', Promise.resolve('open'))).toBe('open')
  const waits = outcome(limit.before('the lake', new Promise<string>(() => {})))
  await clock.advance(1000)
  expect(await waits).toEqual(['RetryLater', expect.stringContaining('it waited for the lake; ask again')])
})

test('a completed query leaves no timer or listener', async () => {
  const [clock, caller, fake] = [new ManualClock(), new AbortController(), fakeQuery()]
  const limit = new QueryLimit(1000, clock, caller.signal)
  fake.resolve('rows')
  await limit.watch(fake.query, fake.endProcess)
  limit.dispose()
  caller.abort()
  await clock.advance(60_000)
  expect([clock.waiting, fake.done]).toEqual([0, []])
})
