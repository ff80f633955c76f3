import type { HintsFrom } from '../../../model/chunk.ts'
import type { TextWalk } from './text-walk.ts'

interface Named {
  readonly type: string
  readonly summary: string
  /** A body, and the records it holds (white space around them aside), in order. The docs and the behaviour suite use it. */
  readonly example: { readonly body: string | Uint8Array; readonly records: readonly string[] }
}

/**
 * A format that shows where each record begins. Text of several such formats may follow each other in one body or file: at the
 * beginning of every record the decoders are asked in the order of the registry. Files of any size are read a run of records at a time.
 */
export interface TextDecoder extends Named {
  readonly kind: 'text'
  /** True when what stands at `walk.at` (no white space) is for this decoder. */
  begins(walk: TextWalk): boolean
  /** Takes one step: emits a record, or passes over what belongs to none. False when that takes more bytes than there are. */
  step(walk: TextWalk): boolean
}

/** A format of whole bodies, which the source names (a header, an address of its own, its configuration). */
export interface BodyDecoder extends Named {
  readonly kind: 'body'
  /**
   * The body's records, or why it is not of this format. The same body always gives the same bytes and records: row ids are made
   * of them. Never throws.
   */
  decode(body: Uint8Array): DecodedBody | BrokenBody
}

export type Decoder = TextDecoder | BodyDecoder

export interface DecodedBody {
  /** The body itself, or the re-encoded records if the format is not text. */
  readonly bytes: Uint8Array
  /** Pairs of where in `bytes` a record begins and ends; `undefined`: each line that is not blank is one. */
  readonly records: Uint32Array | undefined
  readonly count: number
  /** What the body says of its records beside their bytes. Only with `records`. */
  readonly hints?: readonly HintsFrom[] | undefined
}

export interface BrokenBody {
  readonly broken: string
}
