import { expect, test } from 'vitest'
import { simulate } from '../bench/sizing/simulate.mjs'

const one = { name: 'one', machine: 'm', servers: 1, perBatchUs: 1000, perEventUs: 0, maxEvents: 1 }

/** The mean time in a queue with one server, constant service and independent arrivals (Pollaczek and Khinchine). */
const meanMs = (serviceMs: number, load: number) => serviceMs * (1 + load / (2 * (1 - load)))

test.each([0.2, 0.5, 0.8])('one station at a load of %s waits as the theory of queues says', (load) => {
  const { stations } = simulate({
    machines: { m: 4 },
    stations: [one],
    until: 'one',
    eventsPerSecond: () => load * 1000,
    perPost: 1,
    seconds: 200,
    seed: 5,
  })
  expect(stations[0]!.busy).toBeCloseTo(load, 1)
  expect(stations[0]!.meanMs / meanMs(1, load)).toBeGreaterThan(0.9)
  expect(stations[0]!.meanMs / meanMs(1, load)).toBeLessThan(1.1)
})

test('stations that share one core take as long as their work together, and what they do besides is counted', () => {
  const { done, arrived, coresUsed } = simulate({
    machines: { m: 1 },
    stations: [one, { ...one, name: 'two' }],
    aside: { m: 200 },
    until: 'two',
    eventsPerSecond: () => 2000,
    perPost: 1,
    seconds: 20,
  })
  expect(coresUsed['m']).toBeCloseTo(1, 2)
  expect(arrived).toBeGreaterThan(39_000)
  // Work of 1 + 1 ms an event on one core, and something besides.
  expect(done / 20).toBeLessThan(500)
  expect(done / 20).toBeGreaterThan(300)
})

test('a batch takes what waits, so a cost per batch is shared the more the busier it is', () => {
  const at = (eventsPerSecond: number) =>
    simulate({
      machines: { m: 1 },
      stations: [{ ...one, perBatchUs: 5000, perEventUs: 10, maxEvents: 1000 }],
      until: 'one',
      eventsPerSecond: () => eventsPerSecond,
      perPost: 1,
      seconds: 20,
    })
  const [calm, busy] = [at(100), at(20_000)]
  expect(busy.done / busy.arrived).toBeGreaterThan(0.99)
  expect(busy.coresUsed['m']! / 20_000).toBeLessThan(calm.coresUsed['m']! / 100 / 20)
})

test('rows wait for a full batch or its time', () => {
  const { stations } = simulate({
    machines: { m: 1 },
    stations: [{ ...one, maxEvents: undefined, everyMs: 500, fullEvents: 1_000_000 }],
    until: 'one',
    eventsPerSecond: () => 100,
    perPost: 1,
    seconds: 60,
  })
  expect(stations[0]!.p99Ms).toBeGreaterThan(490)
  expect(stations[0]!.p99Ms).toBeLessThan(510)
})
