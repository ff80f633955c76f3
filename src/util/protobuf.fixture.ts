/** A number in the wire format of protocol buffers. */
function varint(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0))
    rest >>= 7n
  } while (rest > 0n)
  return Buffer.from(bytes)
}

/** A field with text, a message (its fields) or an integer. */
export function field(number: number, value: string | Uint8Array | bigint): Buffer {
  if (typeof value === 'bigint') return Buffer.concat([varint(BigInt(number << 3)), varint(value)])
  const bytes = Buffer.from(value)
  return Buffer.concat([varint(BigInt((number << 3) | 2)), varint(BigInt(bytes.length)), bytes])
}

/** A field with eight bytes. */
export function fixed64(number: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value))
  return Buffer.concat([varint(BigInt((number << 3) | 1)), bytes])
}

/** A message in a field. */
export function message(number: number, ...fields: readonly Buffer[]): Buffer {
  return field(number, Buffer.concat(fields))
}
