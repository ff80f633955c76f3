import type { JsonObject, JsonValue } from '../../../model/json.ts'
import { setOwn } from '../../../util/json.ts'
import { bytesOf, MalformedProtobuf, numberOf, protobufFields, textOf } from '../../../util/protobuf.ts'
import type { BodyDecoder } from './decoder.ts'
import { type OtlpWalk, plainInteger } from './otlp-json.ts'
import { addLog, type OtlpLog, Spread, sizeOf } from './otlp-log.ts'
import { ReEncoded } from './re-encoded.ts'

/**
 * Requests of OTLP/HTTP in protocol buffers. The numbers of fields are those of
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto and common.proto.
 */
export const otlpProtobuf: BodyDecoder = {
  kind: 'body',
  type: 'otlp-protobuf',
  summary: 'Log records of OpenTelemetry in protocol buffers: the body of each is a record, attributes become fields.',
  example: {
    // One resource (host.name=web1) with one scope with two records.
    body: Buffer.from(
      '0a330a150a130a09686f73742e6e616d6512060a0477656231121a12092a070a05474554202f120d2a0b32090a070a016112021801',
      'hex',
    ),
    records: ['GET /', '{"a":1}'],
  },
  decode(body) {
    const records = new ReEncoded()
    const { broken } = walkOtlpProtobuf(body, (log) => addLog(records, log))
    return broken === undefined ? records.done() : { broken }
  },
}

const MAX_DEPTH = 100

/** Calls `on` for each record, at most `most` times. */
export function walkOtlpProtobuf(body: Uint8Array, on: (log: OtlpLog) => void, most = Number.POSITIVE_INFINITY): OtlpWalk {
  const spread = new Spread()
  let count = 0
  try {
    for (const { number, value } of protobufFields(body)) {
      if (number !== 1) continue
      const ofResource: JsonObject = {}
      for (const resource of messages(value, 1)) addAttributes(ofResource, resource, 1)
      for (const scopeLogs of messages(value, 2)) {
        const shared = { ...ofResource }
        for (const scope of messages(scopeLogs, 1)) addScope(shared, scope)
        const size = sizeOf(shared)
        for (const record of messages(scopeLogs, 2)) {
          if (count >= most) return { count, rejected: 0 }
          if (!spread.add(size)) throw new MalformedProtobuf('attributes times records are more than 64 MiB; split it')
          on(logOf(record, shared))
          count++
        }
      }
    }
    return { count, rejected: 0 }
  } catch (error) {
    if (!(error instanceof MalformedProtobuf)) throw error
    return { count: 0, rejected: 0, broken: error.message }
  }
}

/** The messages in a field of a message. */
function* messages(message: bigint | Uint8Array, wanted: number): Generator<Uint8Array, void> {
  for (const { number, value } of protobufFields(bytesOf(message))) if (number === wanted) yield bytesOf(value)
}

function addAttributes(to: JsonObject, message: Uint8Array, wanted: number): void {
  for (const pair of messages(message, wanted)) addPair(to, pair, 0)
}

function addPair(to: JsonObject, pair: Uint8Array, depth: number): void {
  let key = ''
  let value: JsonValue = null
  for (const { number, value: field } of protobufFields(pair)) {
    if (number === 1) key = textOf(field)
    else if (number === 2) value = anyValue(bytesOf(field), depth)
  }
  setOwn(to, key, value)
}

function addScope(to: JsonObject, scope: Uint8Array): void {
  addAttributes(to, scope, 3)
  for (const { number, value } of protobufFields(scope)) {
    if (number === 1) to['otel.scope.name'] = textOf(value)
    else if (number === 2) to['otel.scope.version'] = textOf(value)
  }
}

function logOf(record: Uint8Array, shared: JsonObject): OtlpLog {
  let [timeNanos, observedNanos] = [0n, 0n]
  let body: JsonValue | undefined
  const attributes: JsonObject = {}
  const more: JsonObject = {}
  for (const { number, value } of protobufFields(record)) {
    if (number === 1) timeNanos = numberOf(value)
    else if (number === 11) observedNanos = numberOf(value)
    else if (number === 5) body = anyValue(bytesOf(value), 0)
    else if (number === 6) addPair(attributes, bytesOf(value), 0)
    else if (number === 2) more['severity_number'] = Number(numberOf(value))
    else if (number === 3) more['severity_text'] = textOf(value)
    else if (number === 9) more['trace_id'] = Buffer.from(bytesOf(value)).toString('hex')
    else if (number === 10) more['span_id'] = Buffer.from(bytesOf(value)).toString('hex')
    else if (number === 12) more['event_name'] = textOf(value)
  }
  return { timeNanos, observedNanos, body, attributes, more, shared }
}

/** Text, a truth value, an integer, a double, a list, a map or bytes. */
function anyValue(message: Uint8Array, depth: number): JsonValue {
  if (depth > MAX_DEPTH) throw new MalformedProtobuf(`values are nested more than ${MAX_DEPTH} deep`)
  let result: JsonValue = null
  for (const { number, value } of protobufFields(message)) {
    if (number === 1) result = textOf(value)
    else if (number === 2) result = numberOf(value) !== 0n
    else if (number === 3) result = plainInteger(BigInt.asIntN(64, numberOf(value)))
    else if (number === 4) result = doubleOf(numberOf(value))
    else if (number === 5) result = Array.from(messages(value, 1), (one) => anyValue(one, depth + 1))
    else if (number === 6) result = mapOf(bytesOf(value), depth + 1)
    else if (number === 7) result = Buffer.from(bytesOf(value)).toString('base64')
  }
  return result
}

function mapOf(message: Uint8Array, depth: number): JsonObject {
  const map: JsonObject = {}
  for (const pair of messages(message, 1)) addPair(map, pair, depth)
  return map
}

/** JSON has no infinite numbers. */
function doubleOf(bits: bigint): number | string {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, bits)
  const value = view.getFloat64(0)
  return Number.isFinite(value) ? value : String(value)
}
