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
  /** Why the body is not what a sender sent; it becomes a dead letter with this message. */
  readonly broken?: string
}

/** How far a source's bodies have been dealt with. Ids begin at 1 and increase; `epoch` changes if the spool is recreated. */
export interface SpoolPlace {
  readonly epoch: string
  readonly id: number
}

/** Bodies of a source, by their ids, both included. */
export interface SpoolRange {
  readonly epoch: string
  readonly from: number
  readonly to: number
  /** When the first of them was received, epoch milliseconds. */
  readonly receivedMs: number
  /** A sentence about bodies before them that were accepted and can no longer be read. */
  readonly lost?: string
}

/** The bodies of a range, in order of arrival. */
export interface SpooledBodies {
  readonly rows: readonly SpooledRow[]
  /** A sentence about those of the range that can no longer be read. */
  readonly lost?: string
}

/** The newest id of each source that has bodies. */
export type SpoolEnds = Readonly<Record<string, number>>
