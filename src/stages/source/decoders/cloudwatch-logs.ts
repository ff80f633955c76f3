import { isObject } from '../../../model/json.ts'
import { parseJson } from '../../../util/json.ts'
import { JsonScanner } from '../../../util/json-scanner.ts'
import type { BodyDecoder } from './decoder.ts'
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
      const delivery = end < 0 ? undefined : parseJson(bytes.toString('utf8', at, end), { maxDepth: MAX_DEPTH })
      const broken = delivery?.kind === 'ok' ? addRecords(delivery.value, records) : 'is not a JSON object'
      if (broken !== undefined) return { broken: `the delivery at byte ${at} ${broken}` }
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

/** Returns what is wrong with the delivery. */
function addRecords(delivery: unknown, records: ReEncoded): string | undefined {
  if (!isObject(delivery)) return 'is not a JSON object'
  const { messageType, owner, logGroup, logStream, logEvents } = delivery
  if (messageType === 'CONTROL_MESSAGE') return undefined
  if (messageType !== 'DATA_MESSAGE') return 'has no messageType that is known'
  if (!Array.isArray(logEvents)) return 'has no list logEvents'
  const fields = Object.fromEntries(
    Object.entries({ owner, logGroup, logStream }).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
  for (const event of logEvents) {
    const message = isObject(event) ? event['message'] : undefined
    if (typeof message !== 'string') return 'has an event without a message'
    const { timestamp } = event as { timestamp?: unknown }
    const time = Number.isSafeInteger(timestamp) ? timeOfNanos(BigInt(timestamp as number) * 1_000_000n) : undefined
    records.add(message, { fields, ...(time !== undefined && { time }) })
  }
  return undefined
}

function afterSpace(bytes: Buffer, from: number): number {
  let at = from
  while (at < bytes.length && isSpace(bytes[at]!)) at++
  return at
}
