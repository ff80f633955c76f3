import { expect, test } from 'vitest'
import type { SystemProblem } from '../../model/system-problem.ts'
import type { SourceCounts } from '../../state/sources.ts'
import type { ContentView } from '../engine.ts'
import { noticesOf } from '../health.ts'
import { clockCheck } from './clock.ts'
import { deadLetterCheck } from './dead-letters.ts'
import { diskCheck, lowBytes } from './disk.ts'
import { readerCheck } from './readers.ts'
import { spoolCheck } from './spool.ts'

const MINUTE = 60_000
const GIB = 1024 ** 3

const messages = async (run: readonly SystemProblem[] | Promise<readonly SystemProblem[]>) =>
  (await run).map(({ what, key, severity, message }) => `${what} ${key} ${severity}: ${message}`)

test.each([
  { name: 'steady', jumps: [0, 0, 0], says: undefined },
  { name: 'slewed by a second a round', jumps: [1000, 1000, 1000], says: undefined },
  {
    name: 'set forward by an hour',
    jumps: [0, 3_600_000, 0],
    says: 'The clock jumped forward by 3600 s, to 2024-01-01T01:00:10.000Z',
  },
  { name: 'set back by a minute', jumps: [-60_000, 0, 0], says: 'The clock jumped back by 60 s, to 2023-12-31T23:59:05.000Z' },
])('a clock that is $name', async ({ jumps, says }) => {
  let steady = 500
  let wall = Date.parse('2024-01-01T00:00:00Z')
  const check = clockCheck(
    () => wall,
    () => steady,
  )
  for (const jump of jumps) {
    steady += 5000
    wall += 5000 + jump
    await check.run()
  }
  expect(await messages(check.run())).toEqual(says === undefined ? [] : [`ClockJumped  MEDIUM: ${says}`])
  steady += 61 * MINUTE
  wall += 61 * MINUTE
  expect(await messages(check.run())).toEqual([])
})

test.each([
  { sizeGib: 1, freeGib: 0.26, isLow: false },
  { sizeGib: 1, freeGib: 0.24, isLow: true },
  { sizeGib: 10, freeGib: 1.1, isLow: false },
  { sizeGib: 10, freeGib: 0.9, isLow: true },
  { sizeGib: 100, freeGib: 5.1, isLow: false },
  { sizeGib: 100, freeGib: 4.9, isLow: true },
  { sizeGib: 10_000, freeGib: 11, isLow: false },
  { sizeGib: 10_000, freeGib: 9.9, isLow: true },
])('a disk of $sizeGib GiB with $freeGib GiB free: low? $isLow', async ({ sizeGib, freeGib, isLow }) => {
  const space = { bsize: 4096, blocks: (sizeGib * GIB) / 4096, bavail: Math.floor((freeGib * GIB) / 4096) }
  const found = await diskCheck('/data', async () => space).run()
  expect(found.map(({ what }) => what)).toEqual(isLow ? ['DiskLow'] : [])
  expect(lowBytes(sizeGib * GIB)).toBeLessThanOrEqual((sizeGib * GIB) / 4)
})

test('the spool is reported when four fifths of it, or of a share of it, are in use, and when it cannot be used', async () => {
  let waiting = { all: 799, a: 80, b: 79 }
  let why: string | undefined
  const check = spoolCheck(
    () => ['a', 'b'],
    { maxBytes: 1000, maxSourceBytes: 100 },
    { bytes: async (id) => waiting[(id ?? 'all') as 'a'], trouble: async () => why },
  )
  expect(await messages(check.run())).toEqual([
    'SpoolFull a HIGH: The spool of source a is 80 % full (80 of 100 bytes); once it is full, its senders get 429',
  ])
  waiting = { all: 800, a: 0, b: 0 }
  expect(await messages(check.run())).toEqual([
    'SpoolFull  HIGH: The spool is 80 % full (800 of 1000 bytes); once it is full, all senders get 503',
  ])
  waiting = { all: 0, a: 0, b: 0 }
  why = 'Kafka cannot be reached: connection refused'
  expect(await messages(check.run())).toEqual(['SpoolAway  HIGH: Kafka cannot be reached: connection refused'])
})

test('a source whose call has not returned for half a minute is stuck', async () => {
  const progress = (id: string, waitingMs: number) => ({ id, waitingMs, inFlight: 0, backlogBytes: 0, notices: [] })
  const check = readerCheck(async () => [progress('quick', 0), progress('slow', 29_999), progress('nfs', 30_000)])
  expect(await messages(check.run())).toEqual([
    'ReaderStuck nfs HIGH: Reading from source nfs has not responded for 30 s; other sources wait too',
  ])
})

test('what a source cannot read is one problem for each source, and not also a notice', async () => {
  const notices = ['a copy', 'x.log cannot be read', 'y.log cannot be read']
  const source = { id: 'zeek', waitingMs: 0, inFlight: 0, backlogBytes: 0, notices, problems: notices.slice(1) }
  expect(await messages(readerCheck(async () => [source]).run())).toEqual([
    'ReaderStuck zeek HIGH: Source zeek: x.log cannot be read (and 1 more; `caracal sources` lists them)',
  ])
  expect(noticesOf({ notices: [] } as unknown as ContentView, [source])).toEqual(['zeek: a copy'])
})

function counts(received: number, deadLettered: number): SourceCounts {
  return {
    received,
    deadLettered,
    stored: received - deadLettered,
    filtered: 0,
    guessed: {},
    filters: {},
    reasons: { invalid_json: deadLettered },
  }
}

test.each([
  { name: 'none', received: 1000, dead: 0, severity: undefined },
  { name: 'nine of nine hundred', received: 900, dead: 9, severity: undefined },
  { name: 'ten of a thousand', received: 1000, dead: 10, severity: 'MEDIUM' },
  { name: 'ten of more than a thousand', received: 1001, dead: 10, severity: undefined },
  { name: 'the only one', received: 1, dead: 1, severity: 'HIGH' },
  { name: 'half of a few', received: 4, dead: 2, severity: 'HIGH' },
  { name: 'less than half of a few', received: 5, dead: 2, severity: 'MEDIUM' },
  { name: 'seven of eighteen', received: 18, dead: 7, severity: 'MEDIUM' },
  { name: 'one of ten', received: 10, dead: 1, severity: 'MEDIUM' },
  { name: 'one of eleven', received: 11, dead: 1, severity: undefined },
  { name: 'nearly half of many', received: 1000, dead: 499, severity: 'MEDIUM' },
])('dead letters within the hour, $name: $severity', async ({ received, dead, severity }) => {
  let now = counts(5000, 5000)
  const check = deadLetterCheck({ counts: async () => new Map([['s', now]]), samples: async () => ['sample'], now: () => 0 })
  expect(await check.run()).toEqual([])
  now = counts(5000 + received, 5000 + dead)
  const found = await check.run()
  expect(found.map((problem) => [problem.what, problem.key, problem.severity, problem.evidence])).toEqual(
    severity === undefined ? [] : [['DeadLetters', 's', severity, ['sample']]],
  )
})

test('a problem with dead letters names share and reasons and ends an hour after the last one, and a source may be new or removed', async () => {
  let nowMs = 0
  let now = new Map<string, SourceCounts>()
  const check = deadLetterCheck({ counts: async () => now, samples: async () => [], now: () => nowMs })
  expect(await check.run()).toEqual([])
  now = new Map([['s', { ...counts(40, 37), reasons: { invalid_json: 7, not_a_log: 30 } }]])
  expect(await messages(check.run())).toEqual([
    'DeadLetters s HIGH: 37 of 40 records of source s within the last hour (92 %) became dead letters: not_a_log 30, invalid_json 7',
  ])
  for (let minute = 1; minute <= 61; minute++) {
    nowMs = minute * MINUTE
    expect((await check.run()).length, `after ${minute} minutes`).toBe(minute < 61 ? 1 : 0)
  }
  now = new Map()
  expect(await check.run()).toEqual([])
  now = new Map([['s', counts(3, 0)]])
  expect(await check.run()).toEqual([])
})

test.each([
  { name: 'a minute', downMs: MINUTE, isReported: true },
  { name: 'two hours', downMs: 120 * MINUTE, isReported: false },
  { name: 'a clock that was set back', downMs: -5 * MINUTE, isReported: false },
])('dead letters that no check saw before the program ended, after $name', async ({ downMs, isReported }) => {
  let text: string | undefined
  const oldest = {
    load: async () => text,
    save: async (saved: string) => {
      text = saved
    },
  }
  let latest: string[] = []
  let now = counts(100, 0)
  let wall = 1_700_000_000_000
  let steady = 0
  const start = () =>
    deadLetterCheck({
      counts: async () => new Map([['s', now]]),
      samples: async () => latest,
      now: () => steady,
      oldest,
      wall: () => wall,
    })
  expect(await start().run()).toEqual([])
  now = counts(140, 40)
  wall += downMs
  steady = 7_000_000
  const check = start()
  const found = isReported
    ? ['DeadLetters s HIGH: 40 of 40 records of source s within the last hour (100 %) became dead letters: invalid_json 40']
    : []
  expect(await messages(check.run())).toEqual(found)
  latest = ['a sample']
  await check.run()
  // After another restart the pipeline itself has no samples.
  latest = []
  expect((await start().run()).map(({ evidence }) => evidence)).toEqual(isReported ? [['a sample']] : [])
  steady += 61 * MINUTE
  wall += 61 * MINUTE
  await check.run()
  steady += 61 * MINUTE
  wall += 61 * MINUTE
  expect(await check.run()).toEqual([])
})
