import type { JsonObject } from '../../../model/json.ts'
import { parseJson, setOwn } from '../../../util/json.ts'
import { endOfString } from '../../../util/json-spans.ts'
import { bytesOf, MalformedProtobuf, numberOf, protobufFields, textOf } from '../../../util/protobuf.ts'
import type { BodyDecoder } from './decoder.ts'
import { addEntry, type LokiEntry, type LokiWalk } from './loki-entry.ts'
import { Spread, sizeOf } from './otlp-log.ts'
import { ReEncoded } from './re-encoded.ts'

/**
 * Push requests of Loki in protocol buffers, without the compression around them. The numbers of fields are those of
 * https://github.com/grafana/loki/blob/main/pkg/push/push.proto.
 */
export const lokiProtobuf: BodyDecoder = {
  kind: 'body',
  type: 'loki-protobuf',
  summary: 'Lines pushed to Loki in protocol buffers: each line is a record, labels become fields.',
  example: {
    // One stream ({app="web"}) with two lines.
    body: Buffer.from(
      '0a3f0a0b7b6170703d22776562227d120f0a060880e2cfaa061205474554202f121f0a080880e2cfaa06100112077b2261223a317d1a0a0a057472616365120178',
      'hex',
    ),
    records: ['GET /', '{"a":1}'],
  },
  decode(body, parameters) {
    const records = new ReEncoded()
    const { broken } = walkLokiProtobuf(body, (entry) => addEntry(records, entry, parameters.get('tenant')))
    return broken === undefined ? records.done() : { broken }
  },
}

/** Calls `on` for each line, at most `most` times. */
export function walkLokiProtobuf(body: Uint8Array, on: (entry: LokiEntry) => void, most = Number.POSITIVE_INFINITY): LokiWalk {
  const entries: LokiEntry[] = []
  const spread = new Spread()
  try {
    for (const { number, value: stream } of protobufFields(body)) {
      if (number !== 1) continue
      let labels: JsonObject = {}
      for (const { number: of, value } of protobufFields(bytesOf(stream))) if (of === 1) labels = labelsOf(textOf(value))
      const size = sizeOf(labels)
      for (const { number: of, value } of protobufFields(bytesOf(stream))) {
        if (of !== 2) continue
        if (entries.length >= most) return { count: entries.length }
        if (!spread.add(size)) return { count: 0, broken: 'labels times lines are more than 64 MiB; split it' }
        entries.push(entryOf(bytesOf(value), labels))
      }
    }
  } catch (error) {
    if (!(error instanceof MalformedProtobuf)) throw error
    return { count: 0, broken: error.message }
  }
  for (const entry of entries) on(entry)
  return { count: entries.length }
}

function entryOf(message: Uint8Array, labels: JsonObject): LokiEntry {
  let nanos = 0n
  let line = ''
  let metadata: JsonObject | undefined
  for (const { number, value } of protobufFields(message)) {
    if (number === 1) nanos = timeOf(bytesOf(value))
    else if (number === 2) line = textOf(value)
    else if (number === 3) {
      metadata ??= {}
      addPair(metadata, bytesOf(value))
    }
  }
  return { nanos, line, labels, metadata }
}

/** Seconds and nanoseconds. */
function timeOf(message: Uint8Array): bigint {
  let [secs, nanos] = [0n, 0n]
  for (const { number, value } of protobufFields(message)) {
    if (number === 1) secs = BigInt.asIntN(64, numberOf(value))
    else if (number === 2) nanos = BigInt.asIntN(32, numberOf(value))
  }
  return secs * 1_000_000_000n + nanos
}

function addPair(to: JsonObject, message: Uint8Array): void {
  let [name, text] = ['', '']
  for (const { number, value } of protobufFields(message)) {
    if (number === 1) name = textOf(value)
    else if (number === 2) text = textOf(value)
  }
  setOwn(to, name, text)
}

/** `{app="web", path="C:\\logs"}`: values are quoted as in Go, which is nearly as in JSON. */
function labelsOf(text: string): JsonObject {
  const labels: JsonObject = {}
  for (let at = text.indexOf('{') + 1; at > 0; ) {
    const equals = text.indexOf('=', at)
    if (equals < 0) break
    const name = text.slice(at, equals).replace(/[\s,]+/g, '')
    const quote = text.indexOf('"', equals)
    if (quote < 0) throw new MalformedProtobuf(`the labels ${JSON.stringify(text.slice(0, 80))} are malformed`)
    const end = endOfString(text, quote)
    const parsed = parseJson(text.slice(quote, end + 1), { maxDepth: 1 })
    setOwn(labels, name, parsed.kind === 'ok' ? parsed.value : text.slice(quote + 1, end))
    at = end + 1
  }
  return labels
}
