import type { JsonObject } from '../../model/json.ts'
import { stringifyJson } from '../../util/json.ts'

const encoder = new TextEncoder()

/** One exact JSON text per event, each followed by a newline. */
export function toNdjson(events: Iterable<JsonObject>): Uint8Array {
  let text = ''
  for (const event of events) text += `${stringifyJson(event)}\n`
  return encoder.encode(text)
}
