import type { HintsFrom } from '../../../model/chunk.ts'
import { isCloudwatchLogs, messagesOf } from './cloudwatch-logs.ts'

/** Text and its records, as a chunk has them. */
export interface TextRecords {
  readonly bytes: Uint8Array
  /** Pairs of start and end; `undefined`: each line is a record. */
  readonly records?: Uint32Array | undefined
  readonly hints?: readonly HintsFrom[] | undefined
}

const MARK = Buffer.from('"messageType"')
const SPACE = 0x20
const NEWLINE = 0x0a

/** The filter that control messages count for. */
const CONTROL = 'control message of CloudWatch Logs'

/**
 * Takes deliveries of CloudWatch Logs among a text's records apart: each of their messages is a record, written over the delivery's own
 * bytes, where it always fits. So places of records, and thus their row ids, stay different.
 */
export function deliveriesApart<T extends TextRecords>(text: T): T {
  const bytes = Buffer.from(text.bytes.buffer, text.bytes.byteOffset, text.bytes.byteLength)
  if (!bytes.includes(MARK)) return text
  const spans = text.records ?? linesIn(bytes)
  const out = Buffer.from(bytes)
  const records: number[] = []
  const hints: HintsFrom[] = []
  const add = (from: number, to: number, own: HintsFrom['hints']) => {
    records.push(from, to)
    hints.push({ from, hints: own })
  }
  let isAny = false
  for (let i = 0; i < spans.length; i += 2) {
    const start = spans[i]!
    const end = spans[i + 1]!
    const found = isCloudwatchLogs(bytes.subarray(start, end)) ? messagesOf(bytes.subarray(start, end)) : undefined
    if (!found || 'broken' in found) {
      add(start, end, {})
      continue
    }
    const messages = found.messages.map(({ message, hints: own }) => ({ content: Buffer.from(message), own }))
    const size = messages.reduce((sum, { content }) => sum + content.length + 1, 0)
    if (size > end - start) {
      add(start, end, {})
      continue
    }
    isAny = true
    if (found.isControl) add(start, end, { leaveOut: CONTROL })
    else out.fill(SPACE, start, end)
    let at = start
    for (const { content, own } of messages) {
      content.copy(out, at)
      if (content.some((byte) => byte > SPACE)) add(at, at + content.length, own)
      at += content.length + 1
    }
  }
  return isAny ? { ...text, bytes: out, records: Uint32Array.from(records), hints } : text
}

/** Number of records in a text, of which it has `count` before deliveries are taken apart. */
export function countApart(text: TextRecords, count: number): number {
  const apart = deliveriesApart(text)
  return apart === text ? count : apart.records!.length / 2
}

function linesIn(bytes: Buffer): Uint32Array {
  const spans: number[] = []
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start)
    const end = newline < 0 ? bytes.length : newline
    if (bytes.subarray(start, end).some((byte) => byte > SPACE)) spans.push(start, end)
    start = end + 1
  }
  return Uint32Array.from(spans)
}
