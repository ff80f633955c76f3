/** The bytes are not a message in the protocol buffers' wire format (https://protobuf.dev/programming-guides/encoding/). */
export class MalformedProtobuf extends Error {}

/** One field: integers and fixed-width values as unsigned integers, everything else as bytes. */
export interface ProtobufField {
  readonly number: number
  readonly value: bigint | Uint8Array
}

/** The fields of a message, in their order. Throws `MalformedProtobuf`. */
export function* protobufFields(bytes: Uint8Array): Generator<ProtobufField, void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) throw new MalformedProtobuf('the message ends within a number')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new MalformedProtobuf('a number has more than ten bytes')
  }
  const skip = (length: number): number => {
    const from = at
    if (length > bytes.length - at) throw new MalformedProtobuf('the message ends within a field')
    at += length
    return from
  }
  while (at < bytes.length) {
    const tag = Number(varint() & 0xffff_ffffn)
    const number = tag >>> 3
    const wire = tag & 7
    if (number === 0) throw new MalformedProtobuf('a field has the number 0')
    if (wire === 0) yield { number, value: varint() }
    else if (wire === 1) yield { number, value: view.getBigUint64(skip(8), true) }
    else if (wire === 5) yield { number, value: BigInt(view.getUint32(skip(4), true)) }
    else if (wire === 2) {
      const length = Number(varint())
      const from = skip(length)
      yield { number, value: bytes.subarray(from, from + length) }
    } else throw new MalformedProtobuf(`a field has the wire type ${wire}`)
  }
}

/** The text of a field. */
export function textOf(value: bigint | Uint8Array): string {
  return Buffer.from(bytesOf(value)).toString()
}

/** The bytes of a field, or of the message in it. */
export function bytesOf(value: bigint | Uint8Array): Uint8Array {
  if (typeof value === 'bigint') throw new MalformedProtobuf('a field has a number in place of text or a message')
  return value
}

/** The number of a field. */
export function numberOf(value: bigint | Uint8Array): bigint {
  if (typeof value !== 'bigint') throw new MalformedProtobuf('a field has text or a message in place of a number')
  return value
}
