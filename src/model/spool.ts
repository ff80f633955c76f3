/** A body on its way into the spool. */
export interface SpoolBody {
  readonly sourceId: string
  /** How to split it into records: a decoder's name, possibly with parameters (`name?key=value`), or `array` for text that begins inside a JSON array. */
  readonly decoding: string
  /** When the first byte of its request arrived, epoch milliseconds. */
  readonly receivedMs: number
  readonly body: Uint8Array
}

/** A body as stored in the spool. */
export interface SpooledRow {
  readonly id: number
  /** How to split it into records: a decoder's name, possibly with parameters (`name?key=value`), or `array` for text that begins inside a JSON array. */
  readonly decoding: string
  readonly receivedMs: number
  readonly body: Uint8Array
}
