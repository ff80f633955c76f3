import { isObject, type JsonObject, type JsonValue } from '../../../model/json.ts'
import { MalformedMsgpack } from '../../../util/msgpack/head.ts'
import { MsgpackReader } from '../../../util/msgpack/reader.ts'

/** Each of its entries becomes an event with the tag. The longest that Kubernetes leads to are half as long. */
const MAX_TAG_CHARS = 1000

/** One event of Fluentd. */
export interface ForwardEntry {
  /** Nanoseconds since 1970, if it has a time. */
  readonly nanos: bigint | undefined
  /** What Fluent Bit says beside the record. */
  readonly metadata: JsonObject | undefined
  readonly record: JsonValue
}

export type OnEntry = (tag: string, entry: ForwardEntry) => void

/** A message of Fluentd's forward protocol, without its entries. */
export interface ForwardMessage {
  readonly tag: string
  /** Its entries, if they are one byte string, which may be compressed. They are read by `readPacked`. */
  readonly packed: Buffer | undefined
  readonly option: JsonObject
}

/**
 * Takes a message in any of the modes Message, Forward and PackedForward, and calls `on` for each entry that is not packed
 * (https://github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1). Throws `MalformedMsgpack`.
 */
export function readMessage(reader: MsgpackReader, on: OnEntry): ForwardMessage {
  const parts = reader.array('a message')
  if (parts < 2) throw new MalformedMsgpack('a message needs a tag and entries')
  const tag = reader.bytes('the tag').toString()
  if (tag.length > MAX_TAG_CHARS) throw new MalformedMsgpack(`the tag has more than ${MAX_TAG_CHARS} characters`)
  const { kind } = reader
  const isSingle = kind !== 'array' && kind !== 'text' && kind !== 'bytes'
  let packed: Buffer | undefined
  if (isSingle && parts > 2) on(tag, readEvent(reader))
  else if (isSingle) throw new MalformedMsgpack('a message has a time without a record')
  else if (kind === 'array') for (let left = reader.array('the list of entries'); left > 0; left--) on(tag, readEntry(reader))
  else packed = reader.bytes('the entries')
  const rest = parts - (isSingle ? 3 : 2)
  if (rest > 1) throw new MalformedMsgpack(`a message has ${parts} parts`)
  const option = rest === 1 ? reader.value() : null
  return { tag, packed, option: isObject(option) ? option : {} }
}

/** Calls `on` for each of the packed entries. Throws `MalformedMsgpack`. */
export function readPacked(tag: string, packed: Uint8Array, on: OnEntry): void {
  const reader = new MsgpackReader(packed)
  while (!reader.isAtEnd) on(tag, readEntry(reader))
}

function readEntry(reader: MsgpackReader): ForwardEntry {
  const parts = reader.array('an entry')
  if (parts !== 2) throw new MalformedMsgpack(`an entry has ${parts} parts in place of a time and a record`)
  return readEvent(reader)
}

function readEvent(reader: MsgpackReader): ForwardEntry {
  if (reader.kind !== 'array') return { nanos: readTime(reader), metadata: undefined, record: reader.value() }
  if (reader.array('a time with metadata') !== 2) throw new MalformedMsgpack('a time with metadata has two parts')
  const nanos = readTime(reader)
  const metadata = reader.value()
  return { nanos, metadata: isObject(metadata) ? metadata : undefined, record: reader.value() }
}

/** Seconds, or an EventTime: seconds and nanoseconds, 32 bits each. */
function readTime(reader: MsgpackReader): bigint | undefined {
  if (reader.kind === 'extension') {
    const { type, data } = reader.extension()
    if (type !== 0 || data.length !== 8) return undefined
    return BigInt(data.readUInt32BE(0)) * 1_000_000_000n + BigInt(data.readUInt32BE(4))
  }
  const secs = reader.value()
  if (typeof secs !== 'number') return undefined
  return Number.isInteger(secs) ? BigInt(secs) * 1_000_000_000n : BigInt(Math.round(secs * 1e6)) * 1000n
}
