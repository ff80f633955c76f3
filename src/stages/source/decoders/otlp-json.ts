import { isObject, type JsonObject, type JsonValue } from '../../../model/json.ts'
import { parseJson, setOwn } from '../../../util/json.ts'
import type { BodyDecoder } from './decoder.ts'
import { addLog, type OtlpLog, Spread, sizeOf } from './otlp-log.ts'
import { ReEncoded } from './re-encoded.ts'

/** How far the walk over a request came. */
export interface OtlpWalk {
  readonly count: number
  /** Records that are not in the format; the others are taken. */
  readonly rejected: number
  /** Why the whole body is refused. */
  readonly broken?: string
}

/** Requests of OTLP/HTTP in JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). */
export const otlpJson: BodyDecoder = {
  kind: 'body',
  type: 'otlp-json',
  summary: 'Log records of OpenTelemetry in JSON: the body of each is a record, attributes become fields.',
  example: {
    body: '{"resourceLogs":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"web1"}}]},"scopeLogs":[{"logRecords":[{"body":{"stringValue":"GET /"}},{"body":{"kvlistValue":{"values":[{"key":"a","value":{"intValue":"1"}}]}}}]}]}]}',
    records: ['GET /', '{"a":1}'],
  },
  decode(body) {
    const records = new ReEncoded()
    const { broken } = walkOtlpJson(body, (log) => addLog(records, log))
    return broken === undefined ? records.done() : { broken }
  },
}

const MAX_DEPTH = 100

/** Calls `on` for each record, at most `most` times. */
export function walkOtlpJson(body: Uint8Array, on: (log: OtlpLog) => void, most = Number.POSITIVE_INFINITY): OtlpWalk {
  const parsed = parseJson(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString(), { maxDepth: MAX_DEPTH })
  if (parsed.kind === 'failure') return { count: 0, rejected: 0, broken: parsed.message }
  if (!isObject(parsed.value) || !isList(parsed.value['resourceLogs']))
    return { count: 0, rejected: 0, broken: 'there is no list resourceLogs' }
  const spread = new Spread()
  let [count, rejected] = [0, 0]
  for (const { resource, scopeLogs } of objects(parsed.value['resourceLogs'])) {
    const ofResource = attributesOf(isObject(resource) ? resource['attributes'] : undefined)
    for (const { scope, logRecords } of objects(scopeLogs)) {
      const shared = { ...ofResource, ...scopeFields(isObject(scope) ? scope : {}) }
      const size = sizeOf(shared)
      for (const record of isList(logRecords) ? logRecords : []) {
        if (count >= most) return { count, rejected }
        if (!spread.add(size)) return { count, rejected, broken: 'attributes times records are more than 64 MiB; split it' }
        if (isObject(record)) {
          on(logOf(record, shared))
          count++
        } else rejected++
      }
    }
  }
  return { count, rejected }
}

function scopeFields({ name, version, attributes }: JsonObject): JsonObject {
  return {
    ...attributesOf(attributes),
    ...(typeof name === 'string' && name !== '' && { 'otel.scope.name': name }),
    ...(typeof version === 'string' && version !== '' && { 'otel.scope.version': version }),
  }
}

/** Members of a record that become fields under another name. */
const MORE = [
  ['severityText', 'severity_text'],
  ['severityNumber', 'severity_number'],
  ['traceId', 'trace_id'],
  ['spanId', 'span_id'],
  ['eventName', 'event_name'],
] as const

function logOf(record: JsonObject, shared: JsonObject): OtlpLog {
  const more: JsonObject = {}
  for (const [from, to] of MORE) {
    const value = record[from]
    if (value !== undefined && value !== null && value !== '' && value !== 0) more[to] = value
  }
  return {
    timeNanos: nanosOf(record['timeUnixNano']),
    observedNanos: nanosOf(record['observedTimeUnixNano']),
    body: anyValue(record['body']),
    attributes: attributesOf(record['attributes']),
    more,
    shared,
  }
}

/** A 64-bit integer is text in this encoding, but a number is also accepted. */
function nanosOf(value: JsonValue | undefined): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  return typeof value === 'string' && /^\d{1,20}$/.test(value) ? BigInt(value) : 0n
}

function attributesOf(list: JsonValue | undefined): JsonObject {
  const attributes: JsonObject = {}
  for (const { key, value } of objects(list)) if (typeof key === 'string') setOwn(attributes, key, anyValue(value) ?? null)
  return attributes
}

function anyValue(value: JsonValue | undefined): JsonValue | undefined {
  if (!isObject(value)) return undefined
  const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue } = value
  if (isObject(arrayValue)) return isList(arrayValue['values']) ? arrayValue['values'].map((one) => anyValue(one) ?? null) : []
  if (isObject(kvlistValue)) return attributesOf(kvlistValue['values'])
  if (typeof intValue === 'string' && /^-?\d{1,19}$/.test(intValue)) return plainInteger(BigInt(intValue))
  return stringValue ?? boolValue ?? intValue ?? doubleValue ?? bytesValue
}

/** A number if it can hold the integer exactly. */
export function plainInteger(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function objects(list: JsonValue | undefined): JsonObject[] {
  return isList(list) ? list.filter(isObject) : []
}

function isList(value: JsonValue | undefined): value is JsonValue[] {
  return Array.isArray(value)
}
