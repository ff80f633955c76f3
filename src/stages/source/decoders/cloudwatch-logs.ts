import type { Hints } from '../../../model/chunk.ts'
import { isObject } from '../../../model/json.ts'
import { parseJson } from '../../../util/json.ts'
import { JsonScanner } from '../../../util/json-scanner.ts'
import type { BodyDecoder, BrokenBody } from './decoder.ts'
import { ReEncoded, timeOfNanos } from './re-encoded.ts'
import { isSpace } from './search.ts'

const MAX_DEPTH = 64

/**
 * What a subscription of CloudWatch Logs delivers, one object after another: `{"messageType":"DATA_MESSAGE","owner":…,"logGroup":…,
 * "logStream":…,"logEvents":[{"id":…,"timestamp":…,"message":…}]}`, times in milliseconds
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html). Control messages have no records.
 */
export const cloudwatchLogs: BodyDecoder = {
  kind: 'body',
  type: 'cloudwatch-logs',
  summary: 'Deliveries of CloudWatch Logs: the message of each event is a record; log group and stream become fields.',
  example: {
    body: `{"messageType":"CONTROL_MESSAGE","logEvents":[{"id":"","timestamp":1,"message":"checking"}]}
{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"web","logStream":"i-1","logEvents":[{"id":"1","timestamp":1709697600000,"message":"{\\"a\\":1}"},{"id":"2","timestamp":1709697600001,"message":"two\\nlines"}]}`,
    records: ['{"a":1}', 'two\nlines'],
  },
  decode(body) {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    const records = new ReEncoded()
    for (let at = afterSpace(bytes, 0); at < bytes.length; ) {
      const end = new JsonScanner().scan(bytes, at)
      const found: Messages = end < 0 ? { broken: 'is not a JSON object' } : messagesOf(bytes.subarray(at, end))
      if ('broken' in found) return { broken: `the delivery at byte ${at} ${found.broken}` }
      for (const { message, hints } of found.messages) records.add(message, hints)
      at = afterSpace(bytes, end)
    }
    return records.done()
  },
}

/** True if a body begins like a delivery. */
export function isCloudwatchLogs(body: Uint8Array): boolean {
  return /^\s{0,100}\{\s{0,100}"messageType"\s{0,100}:\s{0,100}"(DATA|CONTROL)_MESSAGE"/.test(
    Buffer.from(body.subarray(0, 500)).toString(),
  )
}

/** A message of a delivery, and what the delivery says about it. */
interface Message {
  readonly message: string
  readonly hints: Hints
}

type Messages = { readonly messages: readonly Message[]; readonly isControl: boolean } | BrokenBody

/** The messages of one delivery, or what is wrong with it. */
export function messagesOf(bytes: Uint8Array): Messages {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
  const delivery = parseJson(text, { maxDepth: MAX_DEPTH })
  if (delivery.kind !== 'ok' || !isObject(delivery.value)) return { broken: 'is not a JSON object' }
  const { messageType, owner, logGroup, logStream, logEvents } = delivery.value
  if (messageType === 'CONTROL_MESSAGE') return { messages: [], isControl: true }
  if (messageType !== 'DATA_MESSAGE') return { broken: 'has no messageType that is known' }
  if (!Array.isArray(logEvents)) return { broken: 'has no list logEvents' }
  const fields = Object.fromEntries(
    Object.entries({ owner, logGroup, logStream }).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
  const messages: Message[] = []
  for (const event of logEvents) {
    const message = isObject(event) ? event['message'] : undefined
    if (typeof message !== 'string') return { broken: 'has an event without a message' }
    const { timestamp } = event as { timestamp?: unknown }
    const time = Number.isSafeInteger(timestamp) ? timeOfNanos(BigInt(timestamp as number) * 1_000_000n) : undefined
    messages.push({ message, hints: { fields, ...(time !== undefined && { time }) } })
  }
  return { messages, isControl: false }
}

function afterSpace(bytes: Buffer, from: number): number {
  let at = from
  while (at < bytes.length && isSpace(bytes[at]!)) at++
  return at
}
