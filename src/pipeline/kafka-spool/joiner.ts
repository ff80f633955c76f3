import type { SpooledRow } from '../../model/spool.ts'
import type { LogRecord } from '../../util/kafka/log.ts'
import { pieceOf } from './record.ts'

/** A body that is complete. */
export interface Joined {
  /** The offset after its last message. */
  readonly id: number
  /** The offset of its first message. */
  readonly first: number
  readonly decoding: string
  readonly receivedMs: number
  readonly bytes: number
  /** Bytes appended to the topic up to its end. */
  readonly total: number
  readonly parts: readonly Uint8Array[]
  /** Why it is not what a sender sent. */
  readonly broken?: string
}

interface Group {
  readonly first: number
  readonly sinceMs: number
  readonly parts: Uint8Array[]
  bytes: number
}

/** Parts of bodies that are not complete, of all producers together. */
const MAX_OPEN_BYTES = 256 * 1024 * 1024
/** Longer than a producer may take for a body: it has died. */
const MAX_OPEN_MS = 180_000

/** Makes bodies of messages. The parts of several bodies may alternate; those that never become complete were never acknowledged. */
export class Joiner {
  readonly #topic: string
  readonly #open = new Map<string, Group>()
  #bytes = 0

  constructor(topic: string) {
    this.#topic = topic
  }

  /** The next message of the topic, in order; returns the body that it completes. `nowMs` is monotonic. */
  take(record: LogRecord, nowMs: number): Joined | undefined {
    const piece = pieceOf(record)
    if (!piece) return this.#foreign(record)
    const { offset, value, decoding, receivedMs, total, part } = piece
    const body = { id: offset + 1, first: offset, decoding, receivedMs, bytes: value.length, total, parts: [value] }
    if (!part) return body
    const group = this.#open.get(part.group)
    if (part.number === 1) {
      this.#drop(part.group)
      if (part.of === 1) return body
      this.#add(part.group, { first: offset, sinceMs: nowMs, parts: [value], bytes: value.length })
      return undefined
    }
    if (group && group.parts.length === part.number - 1) {
      if (part.number < part.of) {
        group.parts.push(value)
        group.bytes += value.length
        this.#bytes += value.length
        this.#limit(part.group)
        return undefined
      }
      this.#drop(part.group)
      return { ...body, first: group.first, bytes: group.bytes + value.length, parts: [...group.parts, value] }
    }
    this.#drop(part.group)
    // Only the last part is acknowledged to a sender; without it, nothing is missing.
    if (part.number < part.of) return undefined
    const broken = `a body in topic '${this.#topic}' that ends at offset ${offset} is incomplete: earlier parts of it were deleted before they were read, or are more than ${MAX_OPEN_BYTES} bytes together with others`
    return { ...body, broken }
  }

  /** The offset of the oldest message that may still be needed. */
  floor(): number | undefined {
    const firsts = [...this.#open.values()].map(({ first }) => first)
    return firsts.length === 0 ? undefined : Math.min(...firsts)
  }

  /** Everything in the topic has been taken: groups that are too old to become complete are given up. */
  expire(nowMs: number): void {
    for (const [name, { sinceMs }] of [...this.#open]) if (nowMs - sinceMs > MAX_OPEN_MS) this.#drop(name)
  }

  #foreign({ offset, value }: LogRecord): Joined {
    const broken = `the message at offset ${offset} of topic '${this.#topic}' was not written by Caracal: have nothing else write to the topics of its spool`
    const body = { id: offset + 1, first: offset, decoding: 'lines', receivedMs: Date.now(), bytes: value.length, total: 0 }
    return { ...body, parts: [value], broken }
  }

  #add(name: string, group: Group): void {
    this.#open.set(name, group)
    this.#bytes += group.bytes
    this.#limit(name)
  }

  #limit(but: string): void {
    for (const name of [...this.#open.keys()]) {
      if (this.#bytes <= MAX_OPEN_BYTES) return
      if (name !== but) this.#drop(name)
    }
  }

  #drop(name: string): void {
    this.#bytes -= this.#open.get(name)?.bytes ?? 0
    this.#open.delete(name)
  }
}

/** A body for the pipeline, in memory of its own. */
export function rowOf({ id, decoding, receivedMs, bytes, parts, broken }: Joined): SpooledRow {
  const body = new Uint8Array(bytes)
  let at = 0
  for (const part of parts) {
    body.set(part, at)
    at += part.length
  }
  return { id, decoding, receivedMs, body, ...(broken !== undefined && { broken }) }
}
