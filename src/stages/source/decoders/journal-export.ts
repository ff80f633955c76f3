import type { JsonObject } from '../../../model/json.ts'
import { isSingleField, journalText } from '../../../util/journal-fields.ts'
import { setOwn, stringifyJson } from '../../../util/json.ts'
import { ExportFrames, MalformedExport } from '../journald/export-frames.ts'
import type { BodyDecoder } from './decoder.ts'
import { ReEncoded } from './re-encoded.ts'

/** The log type of entries, unless their source names another. */
export const JOURNAL_LOG_TYPE = 'Linux.Journal'

/** The journal export format, in which `journalctl --output=export` writes and systemd-journal-upload sends. */
export const journalExport: BodyDecoder = {
  kind: 'body',
  type: 'journal-export',
  summary: 'The export format of the systemd journal: each entry is a record, a JSON object of its fields.',
  example: {
    body: Buffer.from('MESSAGE=a\nPRIORITY=6\n\nMESSAGE\n\u0003\0\0\0\0\0\0\0b\nc\nTAG=x\nTAG=y\n\n'),
    records: ['{"MESSAGE":"a","PRIORITY":"6"}', '{"MESSAGE":"b\\nc","TAG":["x","y"]}'],
  },
  decode(body) {
    const records = new ReEncoded()
    const frames = new ExportFrames(Number.POSITIVE_INFINITY)
    try {
      for (const { bytes } of frames.push(Buffer.from(body.buffer, body.byteOffset, body.byteLength)))
        records.add(journalJson(bytes), { logType: JOURNAL_LOG_TYPE })
    } catch (error) {
      if (error instanceof MalformedExport) return { broken: error.message }
      throw error
    }
    return frames.pending > 0 ? { broken: 'it breaks off within an entry' } : records.done()
  },
}

const NEWLINE = 0x0a
const EQUALS = 0x3d

/**
 * A whole entry as JSON: texts by field, and a list of texts for a field that occurs several times. Fields that stand for one value keep the
 * first one, and all of them are under `REPEATED`: programs that name a place in their code often name it twice.
 */
export function journalJson(entry: Buffer): string {
  const fields: JsonObject = {}
  const repeated: JsonObject = {}
  const seen = new Map<string, string[]>()
  for (let at = 0; at < entry.length - 1; ) {
    const line = entry.indexOf(NEWLINE, at)
    const equals = entry.subarray(at, line).indexOf(EQUALS)
    const isText = equals >= 0
    const name = journalText(entry.subarray(at, isText ? at + equals : line))
    const from = isText ? at + equals + 1 : line + 9
    const to = isText ? line : from + Number(entry.readBigUInt64LE(line + 1))
    at = to + 1
    const values = seen.get(name) ?? []
    values.push(journalText(entry.subarray(from, to)))
    seen.set(name, values)
    if (values.length === 1) setOwn(fields, name, values[0])
    else setOwn(isSingleField(name) ? repeated : fields, name, values)
  }
  return stringifyJson(Object.keys(repeated).length > 0 ? { ...fields, REPEATED: repeated } : fields)
}
