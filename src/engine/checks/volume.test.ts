import fc from 'fast-check'
import { expect, test } from 'vitest'
import { volumeCheck } from './volume.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = Date.parse('2026-03-02T00:00:00Z')

interface World {
  /** Records of an hour, by the number of hours since the source's first record. */
  readonly records: (hour: number) => number
  readonly judged?: number
  readonly started?: number
  readonly source?: { readonly volume_alarm?: boolean; readonly drop_off_minutes?: number }
  readonly backlogBytes?: number
}

/** The message about the judged hour: by default 10:00 to 11:00 on the 15th day. */
async function found({ records, judged = 14 * 24 + 10, started = 0, source = {}, backlogBytes = 0 }: World) {
  let nowMs = START + started * HOUR
  const check = volumeCheck({
    sources: () => [{ id: 'web', volume_alarm: true, ...source }],
    hourly: async (fromMs, untilMs) => {
      const hours = new Map<number, number>()
      for (let ms = Math.max(fromMs, START); ms < untilMs; ms += HOUR) {
        const n = records((ms - START) / HOUR)
        if (n > 0) hours.set(ms, n)
      }
      return new Map([['web', hours]])
    },
    firstMs: async () => new Map([['web', START]]),
    progress: async () => [{ id: 'web', inFlight: 0, waitingMs: 0, notices: [], backlogBytes }],
    now: () => nowMs,
  })
  nowMs = START + (judged + 1) * HOUR + 60_000
  const problems = await check.run()
  expect(problems.every(({ what, key, severity }) => what === 'SourceVolume' && key === 'web' && severity === 'LOW')).toBe(true)
  return problems[0]?.message
}

/** A busy day and a quiet night, the weekend as quiet as a night; `last` in the judged hour. */
const week =
  (last: number, judged = 14 * 24 + 10) =>
  (hour: number) => {
    if (hour === judged) return last
    const isWeekend = [5, 6].includes(Math.floor(hour / 24) % 7)
    return hour % 24 >= 8 && hour % 24 < 18 && !isWeekend ? 4000 : 200
  }

test('far more or far fewer records than on the days before are reported with what was usual', async () => {
  expect(await found({ records: week(20_001) })).toBe(
    'Source web sent 20001 records in the hour from 2026-03-16T10:00Z, far more than usual: around that hour on the previous 14 days it was between 200 and 4000 an hour',
  )
  expect(await found({ records: week(39) })).toContain('sent 39 records in the hour from 2026-03-16T10:00Z, far fewer than usual')
})

test.each<{ name: string; world: World }>([
  { name: 'five times the most', world: { records: week(20_000) } },
  { name: 'a fifth of the least', world: { records: week(40) } },
  { name: 'a Saturday after weeks of work', world: { records: week(200, 12 * 24 + 10), judged: 12 * 24 + 10 } },
  { name: 'a Monday after a weekend', world: { records: week(4000) } },
  { name: 'many more of very few', world: { records: (hour) => (hour === 346 ? 1000 : 1) } },
  { name: 'none of few', world: { records: (hour) => (hour === 346 ? 0 : 99) } },
  { name: 'less than a week of history', world: { records: week(0, 6 * 24 + 23), judged: 6 * 24 + 23 } },
  { name: 'an hour in which Caracal started', world: { records: week(0), started: 346.1 } },
  { name: 'an hour whose records still wait to be read', world: { records: week(0), backlogBytes: 1 } },
  { name: 'nothing, with its own alarm for that', world: { records: week(0), source: { drop_off_minutes: 60 } } },
  { name: 'switched off', world: { records: week(0), source: { volume_alarm: false } } },
])('is not an anomaly: $name', async ({ world }) => {
  expect(await found(world)).toBeUndefined()
})

test('one exceptional day does not hide the next anomaly', async () => {
  const flood = 5 * 24 + 10
  const outage = 9 * 24 + 10
  const records = (last: number) => (hour: number) =>
    hour === flood ? 1_000_000 : hour === outage ? 0 : hour === 346 ? last : 1000
  expect(await found({ records: records(6000) })).toContain('between 1000 and 1000 an hour')
  expect(await found({ records: records(0) })).toContain('between 1000 and 1000 an hour')
})

test('nothing within five times of every hour before is ever reported', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 100, max: 500 }), { minLength: 347, maxLength: 347 }), async (hours) => {
      expect(await found({ records: (hour) => hours[hour]! })).toBeUndefined()
    }),
    { numRuns: 200 },
  )
})

test('an anomaly lasts until the next full hour is judged', async () => {
  let nowMs = START
  const check = volumeCheck({
    sources: () => [{ id: 'web', volume_alarm: true }],
    hourly: async () =>
      new Map([['web', new Map(Array.from({ length: 400 }, (_, i) => [START + i * HOUR, i === 346 ? 10 : 1000]))]]),
    firstMs: async () => new Map([['web', START]]),
    progress: async () => [],
    now: () => nowMs,
  })
  const at = async (hour: number, seconds: number) => {
    nowMs = START + 14 * DAY + hour * HOUR + seconds * 1000
    return (await check.run()).length
  }
  expect([await at(11, 59), await at(11, 60), await at(12, 59), await at(12, 60)]).toEqual([0, 1, 1, 0])
})
