import { RE2JS } from 're2js'

/** What a source's text may consist of. `auto`: any mixture of what can be recognised. */
export const STREAM_TYPES = ['auto', 'lines', 'json', 'json_array', 'xml'] as const
export type StreamType = (typeof STREAM_TYPES)[number]

/** How text is split into records. */
export interface Stream {
  readonly type: StreamType
  /** Names of members that lead to the list of records in an envelope. Default: well-known envelopes are recognised. */
  readonly envelope?: readonly string[] | undefined
  /** Name of the XML elements that are records. */
  readonly element?: string | undefined
  /** How the first line of a record looks. Default: each line is a record. */
  readonly start?: RE2JS | undefined
  /** Maximum number of lines of a record. */
  readonly maxLines: number
  readonly maxBytes: number
}

export const AUTO: Stream = { type: 'auto', maxLines: 1, maxBytes: 1 }

const MAX_REMEMBERED = 100
const known = new Map<string, Stream>()

/**
 * The stream that parameters describe: `type=json_array&envelope=data.logs`, `type=lines&start=^\d&lines=500&bytes=65536`,
 * `type=xml&element=Event`. They are stored with what was received, so that it is split in the same way whenever it is read.
 */
export function streamOf(parameters: string | undefined): Stream {
  if (parameters === undefined || parameters === '') return AUTO
  const remembered = known.get(parameters)
  if (remembered) return remembered
  const values = new URLSearchParams(parameters)
  const start = values.get('start')
  const stream: Stream = {
    type: STREAM_TYPES.find((type) => type === values.get('type')) ?? 'auto',
    envelope: values.get('envelope')?.split('.'),
    element: values.get('element') ?? undefined,
    start: start === null ? undefined : RE2JS.compile(start),
    maxLines: Number(values.get('lines') ?? 1),
    maxBytes: Number(values.get('bytes') ?? 1),
  }
  if (known.size >= MAX_REMEMBERED) known.clear()
  known.set(parameters, stream)
  return stream
}
