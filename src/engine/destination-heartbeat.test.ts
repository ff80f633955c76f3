import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Delivery } from '../stages/deliver/destination.ts'
import { RetryLater } from '../util/errors.ts'
import { DestinationHeartbeat } from './destination-heartbeat.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const HOUR = 3_600_000

interface Given {
  readonly isAlive?: () => boolean
  readonly fails?: (n: number) => boolean
}

function world({ isAlive = () => true, fails = () => false }: Given = {}) {
  const sent: Delivery[] = []
  const times: number[] = []
  const problems: string[][] = []
  const heartbeat = new DestinationHeartbeat({
    id: 'chat',
    destination: {
      send: async (delivery) => {
        times.push(Date.now() - 1_000_000)
        if (fails(times.length)) throw new RetryLater('Slack at https://hooks.slack.com answered 500')
        sent.push(delivery)
      },
    },
    everyMs: HOUR,
    baseUrl: 'http://127.0.0.1:4848',
    now: Date.now,
    isAlive,
    onProblems: (now) => problems.push(now.map(({ what, key, message, notTo }) => `${what} ${key} ${notTo}: ${message}`)),
  })
  return { heartbeat, sent, times, problems }
}

test('a heartbeat is sent at the start and then every hour, each with its own id, and says that it is not an alert', async () => {
  const { heartbeat, sent, times, problems } = world()
  heartbeat.start()
  await vi.advanceTimersByTimeAsync(2 * HOUR + 1000)
  heartbeat.stop()
  await vi.advanceTimersByTimeAsync(5 * HOUR)
  expect(times).toEqual([0, HOUR, 2 * HOUR])
  expect(new Set(sent.map(({ id }) => id)).size).toBe(3)
  expect(sent[0]).toMatchObject({
    kind: 'test',
    alert: { type: 'SYSTEM', severity: 'INFO', ruleId: 'Caracal.Heartbeat', eventCount: 0 },
  })
  expect(problems.flat()).toEqual([])
})

test('a missed heartbeat is a problem until one arrives, and is sent again every minute', async () => {
  const { heartbeat, times, problems } = world({ fails: (n) => n === 2 || n === 3 })
  heartbeat.start()
  await vi.advanceTimersByTimeAsync(HOUR + 5 * 60_000)
  heartbeat.stop()
  expect(times).toEqual([0, HOUR, HOUR + 60_000, HOUR + 120_000])
  const says = 'HeartbeatFailed chat chat: Destination chat missed its heartbeat: Slack at https://hooks.slack.com answered 500'
  expect(problems).toEqual([[], [says], [says], []])
})

test('no heartbeat is sent while alerts cannot be raised, and one as soon as they can', async () => {
  let isAlive = false
  const { heartbeat, times } = world({ isAlive: () => isAlive })
  heartbeat.start()
  await vi.advanceTimersByTimeAsync(HOUR)
  expect(times).toEqual([])
  isAlive = true
  await vi.advanceTimersByTimeAsync(60_000)
  expect(times).toEqual([HOUR + 60_000])
  heartbeat.stop()
})

test('a clock that is set back does not stop heartbeats', async () => {
  const { heartbeat, times } = world()
  heartbeat.start()
  await vi.advanceTimersByTimeAsync(1000)
  vi.setSystemTime(1_000_000 - 10 * HOUR)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(times).toHaveLength(2)
  heartbeat.stop()
})
