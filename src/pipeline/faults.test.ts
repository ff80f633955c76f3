import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StorageError } from '../util/errors.ts'
import { isolate, retry, wholeOrApart } from './faults.ts'

/** Fails if one of the bad items is included. */
function failing(bad: ReadonlySet<number>) {
  const calls: number[] = []
  const attempt = async (items: readonly number[]) => {
    calls.push(items.length)
    const found = items.find((item) => bad.has(item))
    if (found !== undefined) throw found
  }
  return { calls, attempt }
}

test('finds exactly the items at fault, keeps the order, and needs few attempts if few are at fault', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(1000)), fc.uniqueArray(fc.nat(1000), { maxLength: 5 }), async (items, wrong) => {
      const bad = new Set(wrong.filter((item) => items.includes(item)))
      const { calls, attempt } = failing(bad)
      const isolated = await isolate(items, attempt, 10_000)
      expect(isolated.fine).toEqual(items.filter((item) => !bad.has(item)))
      expect(isolated.atFault.map(({ item, error }) => [item, error])).toEqual(
        items.filter((item) => bad.has(item)).map((item) => [item, item]),
      )
      expect(calls.length).toBeLessThanOrEqual(1 + 2 * bad.size * (Math.ceil(Math.log2(items.length + 1)) + 1))
    }),
    { seed: 4711 },
  )
})

test('stops when the budget is used up: untested items count as at fault', async () => {
  const { calls, attempt } = failing(new Set(Array.from({ length: 1000 }, (_, i) => i)))
  const isolated = await isolate([...Array(1000).keys()], attempt, 20)
  expect([isolated.fine.length, isolated.atFault.length, calls.length]).toEqual([0, 1000, 20])
  expect(isolated.atFault.map(({ item }) => item)).toEqual([...Array(1000).keys()])
})

test('a disk failure is not the items’ fault', async () => {
  await expect(isolate([1], () => Promise.reject(new StorageError('disk full')), 5)).rejects.toThrow('disk full')
})

/** Fails in this order, then works. */
function failures(...errors: readonly Error[]) {
  const left = [...errors]
  const troubles: (string | undefined)[] = []
  return {
    troubles,
    attempt: async () => {
      const error = left.shift()
      if (error) throw error
      return 'done'
    },
    retrying: { onTrouble: (message: string | undefined) => troubles.push(message), isStopping: () => false, pauseMs: 0 },
  }
}
const full = () => new StorageError('disk full')
const fault = () => new Error('fault')

test('a long disk failure uses up no attempts, before or between other failures', async () => {
  const { attempt, retrying, troubles } = failures(...Array.from({ length: 20 }, full), fault(), full(), fault())
  expect(await retry('it fails', attempt, retrying)).toBe('done')
  expect(troubles.at(-1)).toBe(undefined)
})

test('work that fails as a whole for another reason than the disk is split after the third failure', async () => {
  const { attempt, retrying, troubles } = failures(full(), fault(), full(), fault(), fault(), fault())
  expect(await wholeOrApart('it fails', attempt, async (error) => `apart: ${error}`, retrying)).toBe('apart: Error: fault')
  expect(troubles.at(-1)).toBe(undefined)
})
