import { RE2JS } from 're2js'
import { z } from 'zod'
import { ENCODINGS, type Encoding } from '../../util/encoding.ts'
import { messageOf } from '../../util/errors.ts'
import { STREAM_TYPES } from './decoders/stream-types.ts'

function checkPattern(pattern: string, context: z.RefinementCtx): void {
  try {
    RE2JS.compile(pattern)
  } catch (error) {
    context.addIssue({ code: 'custom', message: `${messageOf(error)} (RE2 syntax)` })
  }
}

/** Config keys common to sources of text. */
export const streamKeys = {
  encoding: z
    .enum(ENCODINGS)
    .optional()
    .describe(
      'Encoding of the text: `utf-8`, `utf-16` (little-endian), `utf-16le`, `utf-16be` or `windows-1252`. A byte order mark counts more. Default: `utf-8`.',
    ),
  stream_type: z
    .enum(STREAM_TYPES)
    .default('auto')
    .describe(
      'What the text consists of: `lines`; `json`, objects and arrays; `json_array`, lists in an `envelope`; `xml`, elements. Default: any mixture of what can be recognised.',
    ),
  envelope: z
    .string()
    .regex(/^[^.]{1,100}(\.[^.]{1,100}){0,7}$/, 'names of at most 8 members, separated by dots')
    .optional()
    .describe(
      'With `stream_type: json_array`: the member of an object that has the list of records, as in `logs` or `data.logs`.',
    ),
  element: z
    .string()
    .regex(/^[A-Za-z_][\w:.-]{0,99}$/, 'the name of an element')
    .optional()
    .describe('With `stream_type: xml`: the elements that are records. Default: `Event`.'),
  multiline: z
    .strictObject({
      start: z
        .string()
        .min(1)
        .max(1000)
        .superRefine(checkPattern)
        .describe('A regular expression (RE2 syntax) that fits the first line of a record, and no other.'),
      max_lines: z
        .int()
        .min(2)
        .max(10_000)
        .default(500)
        .describe('Maximum number of lines of a record; what follows begins another one.'),
      max_bytes: z
        .int()
        .min(1024)
        .max(1024 * 1024)
        .default(64 * 1024)
        .describe('A record ends with the line that reaches this size.'),
    })
    .optional()
    .describe('With `stream_type: lines`: records of several lines, such as stack traces.'),
} as const

const { stream_type: streamType, envelope, element, multiline, encoding } = streamKeys

/** The same keys for a part of a source: without `stream_type`, those of the source hold. */
export const prefixStreamKeys = {
  stream_type: streamType
    .unwrap()
    .optional()
    .describe('What the text of these objects consists of. Default: as the source says.'),
  envelope: envelope.describe('As for the source, with `stream_type`.'),
  element: element.describe('As for the source, with `stream_type`.'),
  multiline: multiline.describe('As for the source, with `stream_type`.'),
  encoding: encoding.describe('Encoding of these objects. Default: that of the source.'),
} as const

/** The values of these keys. */
export interface StreamSettings {
  readonly encoding?: Encoding | undefined
  readonly stream_type?: (typeof STREAM_TYPES)[number] | undefined
  readonly envelope?: string | undefined
  readonly element?: string | undefined
  readonly multiline?: { readonly start: string; readonly max_lines: number; readonly max_bytes: number } | undefined
}

const NEEDS = { envelope: 'json_array', element: 'xml', multiline: 'lines' } as const

/** A key that does not go with the stream type, and what is wrong with that; `undefined` if there is none. */
export function streamProblem(settings: StreamSettings): { readonly key: string; readonly message: string } | undefined {
  for (const [key, type] of Object.entries(NEEDS))
    if (settings[key as keyof typeof NEEDS] !== undefined && settings.stream_type !== type)
      return { key, message: `goes with \`stream_type: ${type}\` only: set that too, or remove \`${key}\`` }
  return undefined
}

/** The parameters of `streamOf`; empty for what is recognised without a setting. */
export function streamParameters({ stream_type: type = 'auto', envelope, element = 'Event', multiline }: StreamSettings): string {
  if (type === 'auto') return ''
  const values = new URLSearchParams({ type })
  if (envelope !== undefined) values.set('envelope', envelope)
  if (type === 'xml') values.set('element', element)
  if (multiline) {
    values.set('start', multiline.start)
    values.set('lines', String(multiline.max_lines))
    values.set('bytes', String(multiline.max_bytes))
  }
  return values.toString()
}
