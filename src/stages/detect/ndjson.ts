import type { JsonObject } from '../../model/json.ts'
import { parseJson, stringifyJson } from '../../util/json.ts'

/** Deeper than any event: records are limited to less, and enrichment only adds a few levels. */
export const MAX_DEPTH = 2048

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** One exact JSON text per event, each followed by a newline. */
export function toNdjson(events: Iterable<JsonObject>): Uint8Array {
  let text = ''
  for (const event of events) text += `${stringifyJson(event)}\n`
  return encoder.encode(text)
}

/** The inverse, for a batch that only has text. Throws if a line cannot be read. */
export function fromNdjson(ndjson: Uint8Array, logType: string): JsonObject[] {
  const lines = decoder.decode(ndjson).split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map((line, at) => {
    const result = parseJson(line, { maxDepth: MAX_DEPTH })
    if (result.kind === 'ok') return result.value as JsonObject
    throw new Error(`event ${at} of a batch of ${logType} cannot be read: ${result.message}`)
  })
}
