import type { Chunk } from '../../model/chunk.ts'
import type { CompiledSchema, RecordMeta } from '../../model/schema.ts'
import type { ParseResult } from './parser.ts'
import { createParser } from './step.ts'

export const RECEIVED = Date.UTC(2024, 3, 19, 12)
export const PLACE = 'feedfacefeedface'

/** A hand-made schema with required and optional fields. Parsing only knows schemas by their interface. */
export function schema(name: string, required: readonly string[], optional: readonly string[] = []): CompiledSchema {
  const known = [...required, ...optional]
  return {
    name,
    version: 0,
    table: name.toLowerCase(),
    columns: [],
    normalise(raw, meta: RecordMeta) {
      if (raw['bug']) throw new Error('a bug')
      if (raw['reject'] === name) return { kind: 'dead-letter', reason: 'wrong_type', message: `not for ${name}` }
      const missing = required.find((key) => raw[key] === undefined)
      if (missing)
        return { kind: 'dead-letter', reason: 'missing_field', message: `the field ${missing} is required and missing` }
      const { rowId, parseTime, sourceId, sourceLabel } = meta
      const standard = { p_log_type: name, p_row_id: rowId, p_event_time: parseTime, p_parse_time: parseTime }
      return {
        kind: 'ok',
        value: { ...raw, ...standard, p_source_id: sourceId, p_source_label: sourceLabel, p_schema_version: 0 },
      }
    },
    encode: () => {},
    unknownFields: (event) => Object.keys(event).filter((key) => !known.includes(key) && !key.startsWith('p_')),
    native: name.startsWith('Zeek.') ? 'zeek' : undefined,
    parser: undefined,
    mayGuess: true,
    isDescribed: true,
    fit(raw) {
      const found = known.filter((key) => key in raw)
      return {
        known: found.length,
        times: found.filter((key) => key === 'ts').length,
        telling: found.filter((key) => key !== 'ts').length,
        unknown: Object.keys(raw).filter((key) => !known.includes(key)),
        missing: required.filter((key) => !(key in raw)),
        isWhole: found.length === known.length,
      }
    },
    confirmed: () => 0,
  }
}

export const conn = schema('Zeek.Conn', ['ts'], ['n', 'tags', 'text', 'flag', '_path'])
export const dns = schema('Zeek.DNS', ['ts', 'query'])
export const capture = schema('Zeek.CaptureLoss', ['gaps'])
export const all = [conn, dns, capture, schema('Custom.Both', ['x']), schema('Custom.Other', ['x'], ['y'])]
export const parser = createParser({ maxRecordBytes: 200, maxDepth: 8 })

/** Parses text as one chunk. */
export function parse(
  content: string | Uint8Array,
  more: Partial<Chunk> = {},
  logType?: string,
  schemas: readonly CompiledSchema[] = all,
): ParseResult {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const chunk: Chunk = { bytes, place: PLACE, offset: 0, context: '', final: true, faults: [], ...more }
  return parser.parse(chunk, { id: 'src', label: 'Source', schemas, isNamed: schemas !== all, logType }, RECEIVED)
}

/** All events, group by group. */
export const events = (result: ParseResult) => result.groups.flatMap((group) => group.events)
/** The outcome of each record in short: the log type or the reason. */
export const outcomes = (result: ParseResult) => [
  ...events(result).map((e) => e.p_log_type),
  ...result.deadLetters.map((d) => d.reason),
]

/** A header of a Zeek log without its types. */
export const header =
  '#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t2024\n#fields\tts\tn\ttags\ttext\tflag\n'
export const types = '#types\ttime\tcount\tset[string]\tstring\tbool\n'
export const zeek = header + types
