/** A body on its way into the spool. */
export interface SpoolBody {
  readonly sourceId: string
  readonly framing: 'lines' | 'json-array'
  /** When the first byte of its request came in, epoch milliseconds. */
  readonly receivedMs: number
  readonly body: Uint8Array
}

/** A body as it lies in the spool. */
export interface SpooledRow {
  readonly id: number
  readonly framing: 'lines' | 'json-array'
  readonly receivedMs: number
  readonly body: Uint8Array
}
