import type { Hints } from '../../../model/chunk.ts'
import { isObject, type JsonObject } from '../../../model/json.ts'
import { parseJson } from '../../../util/json.ts'
import { hasMoreOf } from '../../../util/json-count.ts'
import { JsonScanner } from '../../../util/json-scanner.ts'
import { memberValue, skipSpace } from '../../../util/json-spans.ts'
import { logTypeFrom } from '../sourcetypes.ts'
import type { BodyDecoder } from './decoder.ts'
import { logTypeOf, ReEncoded, timeOfSeconds } from './re-encoded.ts'

/** Why an envelope was not read, in the words of the protocol. */
export type HecFault = 'format' | 'no event' | 'blank event' | 'fields'

/** The envelopes before the first invalid one, and what is wrong with that. */
export interface HecEvents {
  readonly count: number
  readonly fault: HecFault | undefined
}

/**
 * Envelopes one after another: `{"time":…,"host":…,"source":…,"sourcetype":…,"index":…,"fields":{…},"event":…}`
 * (https://help.splunk.com/en/splunk-enterprise/get-data-in/collect-http-event-data). An invalid one ends the body, since what
 * follows it may belong to it.
 */
export const hecEvent: BodyDecoder = {
  kind: 'body',
  type: 'hec-event',
  summary: 'Events of Splunk’s HTTP Event Collector: JSON objects in envelopes, one after another.',
  example: {
    body: '{"host":"web1","event":{"a":1}}{"sourcetype":"app","event":"two\\nlines"}\n{"time":1.5,"event":{"b":2}}',
    records: ['{"a":1}', 'two\nlines', '{"b":2}'],
  },
  decode(body, parameters) {
    const records = new ReEncoded()
    const { count, fault } = walkHec(body, (event, read, sourcetype) => {
      const hints = read()
      // The parameters are the log types that the source's config gives to sourcetypes.
      const stored = sourcetype === undefined ? null : parameters.get(sourcetype)
      const logType = stored === null ? undefined : logTypeFrom(stored, event)
      records.add(event, logType === undefined ? hints : { ...hints, logType })
    })
    return count === 0 && fault ? { broken: `its first event is invalid (${fault})` } : records.done()
  },
}

/** Fields that the envelope of one event may have. */
const MAX_FIELDS = 2000

/** Calls `on` for each event. Stops at the first invalid envelope, or after `most`. */
export function walkHec(
  body: Uint8Array,
  on: (event: string | Uint8Array, hints: () => Hints, sourcetype: string | undefined) => void,
  most = Number.POSITIVE_INFINITY,
): HecEvents {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  // Its indexes are byte offsets.
  const view = bytes.toString('latin1')
  let count = 0
  for (let at = skipSpace(view, 0); at < view.length && count < most; count++) {
    const end = view[at] === '{' ? new JsonScanner().scan(bytes, at) : -1
    if (end < 0) return { count, fault: 'format' }
    const envelope = readEnvelope(bytes, view, at, end)
    if (typeof envelope === 'string') return { count, fault: envelope }
    on(envelope.event, envelope.hints, envelope.sourcetype)
    at = skipSpace(view, end)
  }
  return { count, fault: undefined }
}

interface Envelope {
  readonly event: string | Uint8Array
  readonly hints: () => Hints
  readonly sourcetype: string | undefined
}

function readEnvelope(bytes: Buffer, view: string, at: number, end: number): Envelope | HecFault {
  const from = memberValue(view, at, 'event')
  if (from === undefined) return 'no event'
  const to = new JsonScanner().scan(bytes.subarray(0, end), from)
  if (to >= 0 && (hasTooMany(bytes.subarray(at, from)) || hasTooMany(bytes.subarray(to, end)))) return 'fields'
  const rest = `${bytes.toString('utf8', at, from)}null${bytes.toString('utf8', to, end)}`
  const parsed = to < 0 ? undefined : parseJson(rest, { maxDepth: 64 })
  if (parsed?.kind !== 'ok') return 'format'
  const { time: _, host, event: __, fields = {}, ...others } = parsed.value as JsonObject
  if (!isObject(fields)) return 'fields'
  const event = eventOf(bytes, from, to)
  if (event === undefined) return 'format'
  if (event === 'null') return 'no event'
  if (event === '') return 'blank event'
  const time = memberValue(view, at, 'time')
  const hints = (): Hints => {
    const more: JsonObject = { ...others, ...fields }
    return {
      ...(time !== undefined && { time: timeOfSeconds(view.slice(time, time + 45).split(/[,}\s]/, 1)[0]!) }),
      ...(typeof host === 'string' && host !== '' && { host }),
      logType: logTypeOf(others['sourcetype']),
      ...(Object.keys(more).length > 0 && { fields: more }),
    }
  }
  const sourcetype = Object.hasOwn(fields, 'sourcetype') ? fields['sourcetype'] : others['sourcetype']
  return { event, hints, sourcetype: typeof sourcetype === 'string' ? sourcetype : undefined }
}

/** Looked at before it is parsed: hundreds of thousands of names would take seconds. */
function hasTooMany(part: Uint8Array): boolean {
  return hasMoreOf(part, [0x3a], MAX_FIELDS)
}

/** A string's text, or the JSON text of another value; `undefined` if it is invalid. */
function eventOf(bytes: Buffer, from: number, to: number): string | Uint8Array | undefined {
  if (bytes[from] !== 0x22) return bytes[from] === 0x7b ? bytes.subarray(from, to) : bytes.toString('utf8', from, to)
  const parsed = parseJson(bytes.toString('utf8', from, to), { maxDepth: 1 })
  return parsed.kind === 'ok' ? (parsed.value as string) : undefined
}
