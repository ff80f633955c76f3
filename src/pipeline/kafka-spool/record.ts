import type { SpoolBody } from '../../model/spool.ts'
import type { LogRecord } from '../../util/kafka/log.ts'

/** Brokers accept batches of 1 MiB unless they are configured otherwise; the rest is for headers. */
export const BATCH_BYTES = 900 * 1024
/** Room for what is added to each message. */
export const MESSAGE_OVERHEAD = 512
const MAX_PARTS = 100_000

/** What is appended to a topic: a body, or a part of one that is too large for one message. */
export interface Message {
  readonly value: Uint8Array
  readonly headers: Readonly<Record<string, string>>
}

/** A message of a topic, as it was appended. */
export interface Piece {
  readonly offset: number
  readonly value: Uint8Array
  readonly decoding: string
  readonly receivedMs: number
  /** Bytes appended to the topic so far, as far as the one who appended this knew. */
  readonly total: number
  /** Absent: a whole body. */
  readonly part?: { readonly group: string; readonly number: number; readonly of: number }
}

/** A body in one message. `total`: with this body. */
export function messageOfBody({ body, decoding, receivedMs }: SpoolBody, total: number): Message {
  return { value: body, headers: { decoding, received: String(receivedMs), total: String(total) } }
}

/** The messages of a large body, which share the name of their group. `before`: the bytes appended before it. */
export function messagesOfParts({ body, decoding, receivedMs }: SpoolBody, group: string, before: number): Message[] {
  const size = BATCH_BYTES - MESSAGE_OVERHEAD
  const parts = Math.ceil(body.length / size)
  return Array.from({ length: parts }, (_, i) => {
    const value = body.subarray(i * size, (i + 1) * size)
    const total = before + Math.min(body.length, (i + 1) * size)
    const own = { group, part: String(i + 1), parts: String(parts) }
    return { value, headers: { decoding, received: String(receivedMs), total: String(total), ...own } }
  })
}

/** Reads a message; `undefined`: Caracal did not write it. */
export function pieceOf({ offset, value, headers }: LogRecord): Piece | undefined {
  const { decoding, received, total, group, part, parts } = headers
  const [receivedMs, totalBytes] = [wholeNumber(received), wholeNumber(total)]
  if (decoding === undefined || receivedMs === undefined || totalBytes === undefined) return undefined
  const piece = { offset, value, decoding, receivedMs, total: totalBytes }
  if (group === undefined) return piece
  const [number, of] = [wholeNumber(part), wholeNumber(parts)]
  if (number === undefined || of === undefined || number < 1 || number > of || of > MAX_PARTS) return undefined
  return { ...piece, part: { group, number, of } }
}

function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}
