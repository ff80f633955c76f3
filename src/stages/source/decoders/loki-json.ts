import { isObject, type JsonValue } from '../../../model/json.ts'
import { parseJson } from '../../../util/json.ts'
import type { BodyDecoder } from './decoder.ts'
import { addEntry, type LokiEntry, type LokiWalk } from './loki-entry.ts'
import { Spread, sizeOf } from './otlp-log.ts'
import { ReEncoded } from './re-encoded.ts'

/** Push requests of Loki in JSON (https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs). */
export const lokiJson: BodyDecoder = {
  kind: 'body',
  type: 'loki-json',
  summary: 'Lines pushed to Loki in JSON: each line is a record, labels become fields.',
  example: {
    body: '{"streams":[{"stream":{"app":"web"},"values":[["1700000000000000000","GET /"],["1700000000000000001","{\\"a\\":1}",{"trace":"x"}]]}]}',
    records: ['GET /', '{"a":1}'],
  },
  decode(body, parameters) {
    const records = new ReEncoded()
    const { broken } = walkLokiJson(body, (entry) => addEntry(records, entry, parameters.get('tenant')))
    return broken === undefined ? records.done() : { broken }
  },
}

/** Calls `on` for each line, at most `most` times. */
export function walkLokiJson(body: Uint8Array, on: (entry: LokiEntry) => void, most = Number.POSITIVE_INFINITY): LokiWalk {
  const parsed = parseJson(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString(), { maxDepth: 16 })
  if (parsed.kind === 'failure') return { count: 0, broken: parsed.message }
  const streams = isObject(parsed.value) ? parsed.value['streams'] : undefined
  if (!Array.isArray(streams)) return { count: 0, broken: 'there is no list streams' }
  const entries: LokiEntry[] = []
  const spread = new Spread()
  for (const [i, stream] of streams.entries()) {
    if (!isObject(stream) || !isObject(stream['stream']) || !Array.isArray(stream['values']))
      return { count: 0, broken: `streams[${i}] needs an object stream and a list values` }
    const { stream: labels, values } = stream
    const size = sizeOf(labels)
    for (const [k, value] of values.entries()) {
      if (entries.length >= most) return { count: entries.length }
      const entry = entryOf(value)
      if (!entry) return { count: 0, broken: `streams[${i}].values[${k}] is not a time in nanoseconds and a line, both as text` }
      if (!spread.add(size)) return { count: 0, broken: 'labels times lines are more than 64 MiB; split it' }
      entries.push({ ...entry, labels })
    }
  }
  for (const entry of entries) on(entry)
  return { count: entries.length }
}

function entryOf(value: JsonValue): Omit<LokiEntry, 'labels'> | undefined {
  if (!Array.isArray(value)) return undefined
  const [time, line, metadata] = value
  if (typeof time !== 'string' || !/^\d{1,20}$/.test(time) || typeof line !== 'string') return undefined
  return { nanos: BigInt(time), line, metadata: isObject(metadata) ? metadata : undefined }
}
