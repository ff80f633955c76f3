import { isObject, type JsonValue } from '../../../model/json.ts'
import { stringifyJson } from '../../../util/json.ts'
import { MalformedMsgpack } from '../../../util/msgpack/head.ts'
import { MsgpackReader } from '../../../util/msgpack/reader.ts'
import type { BodyDecoder } from './decoder.ts'
import { type OnEntry, readMessage, readPacked } from './forward-message.ts'
import { logTypeOf, ReEncoded, timeOfNanos } from './re-encoded.ts'

/** What the source of that name stores: messages one after another, without compression. */
export const fluentForward: BodyDecoder = {
  kind: 'body',
  type: 'fluent-forward',
  summary: 'Messages of Fluentd’s forward protocol: each entry is a record, the tag becomes a field.',
  example: {
    // ['app', 1700000000, {a: 1}] and ['web', [[1700000000, {log: 'GET /'}], [1700000001, {b: 2}]]]
    body: Buffer.from(
      '93a3617070ce6553f10081a1610192a3776562' + '9292ce6553f10081a36c6f67a5474554202f92ce6553f10181a16202',
      'hex',
    ),
    records: ['{"a":1}', 'GET /', '{"b":2}'],
  },
  decode(body) {
    const records = new ReEncoded()
    const on: OnEntry = (tag, { nanos, metadata, record }) => {
      records.add(lineIn(record) ?? stringifyJson(record), {
        time: nanos === undefined ? undefined : timeOfNanos(nanos),
        logType: logTypeOf(tag),
        fields: { fluent_tag: tag, ...metadata },
      })
    }
    try {
      const reader = new MsgpackReader(body)
      while (!reader.isAtEnd) {
        const { tag, packed } = readMessage(reader, on)
        if (packed) readPacked(tag, packed, on)
      }
    } catch (error) {
      if (error instanceof MalformedMsgpack) return { broken: error.message }
      throw error
    }
    return records.done()
  },
}

/** The line that a shipper has read from a file and put into an object of its own. */
function lineIn(record: JsonValue): string | undefined {
  if (typeof record === 'string') return record
  if (!isObject(record)) return undefined
  const [name, ...others] = Object.keys(record)
  if (others.length > 0 || (name !== 'log' && name !== 'message')) return undefined
  const line = record[name]
  return typeof line === 'string' ? line : undefined
}
