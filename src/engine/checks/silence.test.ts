import { expect, test } from 'vitest'
import type { SourceActivity } from '../../model/activity.ts'
import type { SourceProgress } from '../pipeline-calls.ts'
import { silenceCheck } from './silence.ts'

const MINUTE = 60_000
const QUIET: SourceActivity = { watchedMs: 0, bytes: 0, recordsPerMinute: 0, bytesPerMinute: 0 }

/** The sources found silent at that minute by a check that was created at minute `started`. */
async function silentAt(minute: number, flow: Partial<SourceActivity>, { started = 0, backlogBytes = 0, inFlight = 0 } = {}) {
  let nowMs = started * MINUTE
  const progress: SourceProgress = { id: 'web', waitingMs: 0, notices: [], backlogBytes, inFlight }
  const check = silenceCheck({
    sources: () => [{ id: 'web', drop_off_minutes: 15 }, { id: 'other' }],
    activity: async () => new Map([...['web', 'other'].map((id): [string, SourceActivity] => [id, { ...QUIET, ...flow }])]),
    progress: async () => [progress],
    now: () => nowMs,
  })
  nowMs = minute * MINUTE
  return (await check.run()).map(({ what, key, covers }) => `${what} ${key} ${covers}`)
}

const silent = (since: string) => [`SourceSilent web web since ${since}`]

test.each([
  { name: 'a minute before', minute: 114, found: [] },
  { name: 'at its minutes', minute: 115, found: silent('1970-01-01T01:40:00.000Z') },
  { name: 'records that wait to be read have arrived', minute: 200, options: { backlogBytes: 1 }, found: [] },
  { name: 'records in progress too', minute: 200, options: { inFlight: 1 }, found: [] },
  { name: 'within five minutes of a start', minute: 204, options: { started: 200 }, found: [] },
  { name: 'five minutes after it', minute: 205, options: { started: 200 }, found: silent('1970-01-01T01:40:00.000Z') },
])('a source whose last record came at minute 100: $name', async ({ minute, options = {}, found }) => {
  expect(await silentAt(minute, { lastReceivedMs: 100 * MINUTE }, options)).toEqual(found)
})

test('a source that has not sent anything counts from when it was configured, also if it was configured again', async () => {
  expect(await silentAt(14, {})).toEqual([])
  expect(await silentAt(15, {})).toEqual(silent('1970-01-01T00:00:00.000Z'))
  const again = { lastReceivedMs: 1 * MINUTE, watchedMs: 50 * MINUTE }
  expect(await silentAt(64, again)).toEqual([])
  expect(await silentAt(65, again)).toEqual(silent('1970-01-01T00:50:00.000Z'))
})
