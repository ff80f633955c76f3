import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Attempt, insertRows, type Range } from './insert.ts'

class Crash extends Error {}

/** An engine that behaves as ClickHouse does: all or nothing, once per token. */
class FakeEngine {
  readonly stored: number[] = []
  readonly #tokens = new Set<string>()
  readonly #bad: readonly boolean[]
  crashAfter = Number.POSITIVE_INFINITY

  constructor(bad: readonly boolean[]) {
    this.#bad = bad
  }

  readonly attempt: Attempt = async (from, to, token) => {
    if (this.crashAfter-- <= 0) throw new Crash('gone')
    if (this.#bad.slice(from, to).includes(true)) return 'bad row'
    if (this.#tokens.has(token)) return undefined
    this.#tokens.add(token)
    for (let row = from; row < to; row++) this.stored.push(row)
    return undefined
  }
}

const inRanges = (count: number, size: number) =>
  Array.from({ length: Math.ceil(count / size) }, (_, i): Range => [i * size, Math.min((i + 1) * size, count)])

test('good rows are stored once and bad ones are found, however often the process dies in between', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)), { maxLength: 40 }),
      fc.array(fc.nat(12), { maxLength: 4 }),
      fc.integer({ min: 1, max: 50 }),
      async (bad, crashes, size) => {
        const ranges = inRanges(bad.length, size)
        const engine = new FakeEngine(bad)
        for (const crashAfter of crashes) {
          engine.crashAfter = crashAfter
          await insertRows(engine.attempt, ranges, 't').catch((error) => expect(error).toBeInstanceOf(Crash))
        }
        engine.crashAfter = Number.POSITIVE_INFINITY
        const rejected = await insertRows(engine.attempt, ranges, 't')
        expect(engine.stored).toEqual(bad.flatMap((isBad, row) => (isBad ? [] : [row])))
        expect(rejected).toEqual(bad.flatMap((isBad, index) => (isBad ? [{ index, message: 'bad row' }] : [])))
      },
    ),
    { seed: 7, numRuns: 500 },
  )
})

test('an error not caused by the rows ends the insert at once', async () => {
  let tries = 0
  const attempt = async () => {
    tries++
    throw new Crash('disk full')
  }
  await expect(insertRows(attempt, [[0, 2]], 't')).rejects.toThrow('disk full')
  expect(tries).toBe(1)
})
