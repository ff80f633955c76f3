/** A body on its way into the spool. */
export interface SpoolBody {
  readonly sourceId: string
  /** How its records are found: a decoder's name, or `array` for text that begins inside a JSON array. */
  readonly decoding: string
  /** When the first byte of its request came in, epoch milliseconds. */
  readonly receivedMs: number
  readonly body: Uint8Array
}

/** A body as it lies in the spool. */
export interface SpooledRow {
  readonly id: number
  /** How its records are found: a decoder's name, or `array` for text that begins inside a JSON array. */
  readonly decoding: string
  readonly receivedMs: number
  readonly body: Uint8Array
}
