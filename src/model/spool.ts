/** How a body begins: with lines or values, with the rest of a JSON array, or (of earlier versions) with an array. */
export type SpoolFraming = 'lines' | 'array' | 'json-array'

/** A body on its way into the spool. */
export interface SpoolBody {
  readonly sourceId: string
  readonly framing: SpoolFraming
  /** When the first byte of its request came in, epoch milliseconds. */
  readonly receivedMs: number
  readonly body: Uint8Array
}

/** A body as it lies in the spool. */
export interface SpooledRow {
  readonly id: number
  readonly framing: SpoolFraming
  readonly receivedMs: number
  readonly body: Uint8Array
}
