import type { JsonObject } from '../../../model/json.ts'
import { logTypeFrom } from '../sourcetypes.ts'
import type { BodyDecoder } from './decoder.ts'
import { logTypeOf, timeOfSeconds } from './re-encoded.ts'

const NEWLINE = 0x0a

/** The parameter with the log type that the source's config gives the lines. No parameter of the URL has this name. */
export const LOG_TYPE = 'log_type'

/** What the URL of the request said about all lines: `host`, `source`, `sourcetype`, `index` and `time`. */
export const hecRaw: BodyDecoder = {
  kind: 'body',
  type: 'hec-raw',
  summary: 'Raw text of Splunk’s HTTP Event Collector: each line is a record, and the URL says where it comes from.',
  example: { body: 'one\n\n{"two":2}\r\nthree', records: ['one', '{"two":2}', 'three'] },
  decode(body, parameters) {
    const spans: number[] = []
    for (let start = 0; start < body.length; ) {
      const newline = body.indexOf(NEWLINE, start)
      const end = newline < 0 ? body.length : newline
      if (body.subarray(start, end).some((byte) => byte > 0x20)) spans.push(start, end)
      start = end + 1
    }
    const records = Uint32Array.from(spans)
    const { host, time, [LOG_TYPE]: given, ...fields } = Object.fromEntries(parameters) as Readonly<Record<string, string>>
    const first = Buffer.from(
      body.buffer,
      body.byteOffset + (spans[0] ?? 0),
      Math.min(64, body.length - (spans[0] ?? 0)),
    ).toString()
    const hints = {
      ...(host && { host }),
      ...(time && { time: timeOfSeconds(time) }),
      logType: (given && logTypeFrom(given, first)) ?? logTypeOf(fields['sourcetype']),
      ...(Object.keys(fields).length > 0 && { fields: fields as JsonObject }),
    }
    return { bytes: body, records, count: records.length / 2, hints: records.length > 0 ? [{ from: 0, hints }] : [] }
  },
}
