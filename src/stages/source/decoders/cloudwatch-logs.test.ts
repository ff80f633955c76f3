import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cloudwatchLogs, isCloudwatchLogs } from './cloudwatch-logs.ts'
import { deliveriesApart, type TextRecords } from './deliveries.ts'

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

describe('deliveries among the records of a text', () => {
  const event = (message: string) => ({ id: '1', timestamp: 1_709_697_600_123, message })

  test('each message is a record at a place of its own; what is no delivery stays, and control messages are left out', () => {
    const parts = [
      Buffer.from('{"a":1}'),
      delivery([event('{"m":"Köln"}'), event(' \n'), event('two\nlines')]),
      delivery([], 'CONTROL_MESSAGE'),
      delivery([{ id: '1' }]),
      delivery([event('three')]),
    ]
    let at = 0
    const records = Uint32Array.from(
      parts.flatMap((part) => {
        at += part.length
        return [at - part.length, at]
      }),
    )
    const bytes = Buffer.concat(parts)
    const apart = deliveriesApart<TextRecords>({ bytes, records })
    expect(apart.bytes).toHaveLength(bytes.length)
    const found = apart.hints!.map(({ from, hints }, i) => {
      expect(from).toBe(apart.records![2 * i])
      const text = Buffer.from(apart.bytes.subarray(from, apart.records![2 * i + 1])).toString()
      return hints.leaveOut ?? (hints.fields ? [text, hints.time, hints.fields['logGroup']] : text)
    })
    const time = '2024-03-06T04:00:00.123Z'
    expect(found).toEqual([
      '{"a":1}',
      ['{"m":"Köln"}', time, '/aws/x'],
      ['two\nlines', time, '/aws/x'],
      'control message of CloudWatch Logs',
      parts[3]!.toString(),
      ['three', time, '/aws/x'],
    ])
  })

  test('whatever the messages, records do not overlap and nothing is lost', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 5 }), { maxLength: 5 }), (all) => {
        const text = all.map((messages) => delivery(messages.map(event)).toString()).join('\n')
        const { bytes, records, hints } = deliveriesApart<TextRecords>({ bytes: Buffer.from(text) })
        const expected = all.flat().filter((message) => Buffer.from(message).some((byte) => byte > 0x20))
        if (!hints) {
          expect(all).toEqual([])
          return
        }
        const found = hints.map(({ from }, i) => Buffer.from(bytes.subarray(from, records![2 * i + 1])).toString())
        expect(found).toEqual(expected.map((message) => message))
        for (let i = 2; i < records!.length; i += 2) expect(records![i]).toBeGreaterThanOrEqual(records![i - 1]!)
      }),
      { numRuns: 200, seed: 3 },
    )
  })
})
