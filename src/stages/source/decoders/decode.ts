import type { BrokenBody, DecodedBody, Decoder, TextDecoder } from './decoder.ts'
import { deliveriesApart } from './deliveries.ts'
import { decoders as builtIn } from './index.ts'
import { type TextOptions, type TextState, TextWalk } from './text-walk.ts'

export interface DecodedText {
  /** Pairs of start and end of each record; `undefined`: each line before `end` that is not blank is a record. */
  readonly records: Uint32Array | undefined
  readonly count: number
  /** Everything before this is decoded. Whatever begins here is not complete yet. */
  readonly end: number
  /** The state at `end`. */
  readonly state: TextState
  /** Number of NUL bytes skipped between records. */
  readonly nulBytes: number
  /** The kind of the incomplete record at `end`, as far as it is known. */
  readonly pending: 'line' | 'value'
}

/** Splits text into records, each found by the first decoder that claims the text there. */
export function decodeText(bytes: Uint8Array, options: TextOptions = {}, decoders: readonly Decoder[] = builtIn): DecodedText {
  const mostNumbers = 2 * (options.maxRecords ?? Number.POSITIVE_INFINITY)
  const walk = new TextWalk(bytes, options)
  const texts = decoders.filter(
    (decoder): decoder is TextDecoder => decoder.kind === 'text' && (decoder.types?.includes(walk.stream.type) ?? true),
  )
  const claims = (decoder: TextDecoder) => decoder.begins(walk)
  while (walk.records.length < mostNumbers && walk.skip() && texts.find(claims)?.step(walk));
  const isDone = walk.at === walk.bytes.length && walk.final
  if (walk.entered !== undefined && !isDone) {
    // What follows may show that it is not an array after all.
    walk.start = walk.entered
    walk.state = 'lines'
  }
  return {
    records: walk.isPlain ? undefined : Uint32Array.from(walk.records),
    count: walk.records.length / 2,
    // The separator determines how what follows it is read.
    end: isDone ? walk.at : walk.start - (walk.isSequence ? 1 : 0),
    state: walk.state,
    nulBytes: walk.nulBytes,
    pending: walk.pending,
  }
}

/** In place of a decoder: the bytes are what came before damage in compressed data. */
const CUT_OFF = 'cut-off'

/** The decoding of the incomplete record before damage in compressed data. */
export function cutOff(why: string): string {
  return `${CUT_OFF}?${new URLSearchParams({ why })}`
}

const STATES = ['array', 'envelope', 'tail'] as const

/**
 * The records of a whole body. `decoding`: a decoder's name, possibly with parameters (`name?key=value`), or a text state for text that
 * does not begin between two records. The parameters of text are those of its stream.
 */
export function decodeBody(body: Uint8Array, decoding: string, decoders: readonly Decoder[] = builtIn): DecodedBody | BrokenBody {
  const [name, parameters] = decoding.split('?', 2)
  if (name === CUT_OFF) return { broken: new URLSearchParams(parameters).get('why') ?? '', reason: 'compression' }
  const named = decoders.find(({ type }) => type === name)
  if (named?.kind === 'body') return named.decode(body, new URLSearchParams(parameters))
  const state = STATES.find((one) => one === name)
  if (!named && !state)
    return { broken: `there is no decoder '${decoding}'. Known: ${decoders.map(({ type }) => type).join(', ')}` }
  const { records, count } = decodeText(
    body,
    { state: state ?? 'lines', stream: parameters, isStart: true, final: true },
    decoders,
  )
  if (parameters !== undefined) return { bytes: body, records, count }
  const apart = deliveriesApart({ bytes: body, records })
  return { ...apart, count: apart.records === records ? count : apart.records!.length / 2 }
}
