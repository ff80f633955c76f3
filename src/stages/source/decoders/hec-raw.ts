import type { JsonObject } from '../../../model/json.ts'
import type { BodyDecoder } from './decoder.ts'
import { logTypeOf, timeOfSeconds } from './re-encoded.ts'

const NEWLINE = 0x0a

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
    const { host, time, ...fields } = Object.fromEntries(parameters) as Readonly<Record<string, string>>
    const hints = {
      ...(host && { host }),
      ...(time && { time: timeOfSeconds(time) }),
      logType: logTypeOf(fields['sourcetype']),
      ...(Object.keys(fields).length > 0 && { fields: fields as JsonObject }),
    }
    return { bytes: body, records, count: records.length / 2, hints: records.length > 0 ? [{ from: 0, hints }] : [] }
  },
}
