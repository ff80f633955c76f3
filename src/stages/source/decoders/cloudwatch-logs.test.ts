import { expect, test } from 'vitest'
import { cloudwatchLogs, isCloudwatchLogs } from './cloudwatch-logs.ts'

const delivery = (logEvents: unknown, messageType = 'DATA_MESSAGE') =>
  Buffer.from(
    JSON.stringify({ messageType, owner: '1', logGroup: '/aws/x', logStream: 's', subscriptionFilters: ['f'], logEvents }),
  )
const decode = (body: Buffer) => cloudwatchLogs.decode(body, new URLSearchParams())

test('each event is a record with its time and where it comes from', () => {
  const body = delivery([
    { id: '1', timestamp: 1_709_697_600_123, message: 'one\n' },
    { id: '2', timestamp: 'x', message: 'two' },
  ])
  const decoded = decode(body)
  if ('broken' in decoded) throw new Error(decoded.broken)
  const fields = { owner: '1', logGroup: '/aws/x', logStream: 's' }
  expect(decoded.hints!.map(({ hints }) => hints)).toEqual([{ fields, time: '2024-03-06T04:00:00.123Z' }, { fields }])
  expect(Buffer.from(decoded.bytes).toString()).toBe('one\n\ntwo\n')
})

test.each<[string, Buffer, RegExp]>([
  ['an event without a message', delivery([{ id: '1' }]), /event without a message/],
  ['no list', delivery({}), /no list logEvents/],
  ['another kind', delivery([], 'OTHER'), /no messageType/],
  ['something behind it', Buffer.concat([delivery([]), Buffer.from(' x')]), /delivery at byte \d+ is not/],
])('a body with %s is broken', (_, body, reason) => {
  expect(decode(body)).toEqual({ broken: expect.stringMatching(reason) })
})

test('deliveries are recognised by their first member', () => {
  expect(isCloudwatchLogs(delivery([]))).toBe(true)
  expect(isCloudwatchLogs(delivery([], 'CONTROL_MESSAGE'))).toBe(true)
  expect(isCloudwatchLogs(Buffer.from('{"messageType":"order","logEvents":[]}'))).toBe(false)
})
