import type { HintsFrom } from '../../../model/chunk.ts'
import type { StreamType } from './stream-types.ts'
import type { TextWalk } from './text-walk.ts'

interface Named {
  readonly type: string
  readonly summary: string
  /** A body and its records in order, without surrounding white space. Used by the docs and the behaviour suite. */
  readonly example: {
    readonly body: string | Uint8Array
    readonly records: readonly string[]
    /** Parameters of the stream, if it needs them. */
    readonly stream?: string
  }
}

/**
 * A format whose records can be recognised where they begin. One body or file can mix several such formats: at the start of every
 * record the decoders are tried in the order of the registry. Files of any size are read one run of records at a time.
 */
export interface TextDecoder extends Named {
  readonly kind: 'text'
  /** Types of streams in which it is tried. Default: all. */
  readonly types?: readonly StreamType[]
  /** True if this decoder handles the text at `walk.at` (not white space). */
  begins(walk: TextWalk): boolean
  /** Takes one step: emits a record, or skips bytes that belong to none. False if that needs more bytes. */
  step(walk: TextWalk): boolean
}

/** A format of whole bodies, which the source determines (from a header, its own URL or its configuration). */
export interface BodyDecoder extends Named {
  readonly kind: 'body'
  /**
   * The body's records, or why it is not in this format. The same body always yields the same bytes and records, since row ids
   * are derived from them. `parameters` are what the sender said outside the body, as its source stored it. Never throws.
   */
  decode(body: Uint8Array, parameters: URLSearchParams): DecodedBody | BrokenBody
}

export type Decoder = TextDecoder | BodyDecoder

export interface DecodedBody {
  /** The body itself, or the re-encoded records if the format is not text. */
  readonly bytes: Uint8Array
  /** Pairs of where in `bytes` a record begins and ends; `undefined`: each line that is not blank is one. */
  readonly records: Uint32Array | undefined
  readonly count: number
  /** What the body says about its records in addition to their bytes. Requires `records`. */
  readonly hints?: readonly HintsFrom[] | undefined
}

export interface BrokenBody {
  readonly broken: string
  /** What kind of fault that is. Default: `decoding`. */
  readonly reason?: 'compression'
}
