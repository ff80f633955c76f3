/** What `msgpackOf` can write. */
export type Writable = null | boolean | number | string | Uint8Array | readonly Writable[] | { readonly [key: string]: Writable }

/** A value in MessagePack. Integers must fit 32 bits without a sign; other numbers become doubles. */
export function msgpackOf(value: Writable): Buffer {
  if (value === null) return Buffer.of(0xc0)
  if (typeof value === 'boolean') return Buffer.of(value ? 0xc3 : 0xc2)
  if (typeof value === 'number') return numberOf(value)
  if (typeof value === 'string') {
    const text = Buffer.from(value)
    return Buffer.concat([text.length < 32 ? Buffer.of(0xa0 | text.length) : sized(0xdb, text.length), text])
  }
  if (value instanceof Uint8Array) return Buffer.concat([sized(0xc6, value.length), value])
  if (Array.isArray(value)) return Buffer.concat([arrayHead(value.length), ...value.map(msgpackOf)])
  const members = Object.entries(value)
  return Buffer.concat([sized(0xdf, members.length), ...members.flat().map(msgpackOf)])
}

function arrayHead(length: number): Buffer {
  return length < 16 ? Buffer.of(0x90 | length) : sized(0xdd, length)
}

function numberOf(value: number): Buffer {
  if (Number.isInteger(value) && value >= 0 && value < 128) return Buffer.of(value)
  if (Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff) return sized(0xce, value)
  const bytes = Buffer.of(0xcb, 0, 0, 0, 0, 0, 0, 0, 0)
  bytes.writeDoubleBE(value, 1)
  return bytes
}

/** A first byte and 32 bits. */
function sized(first: number, size: number): Buffer {
  const bytes = Buffer.of(first, 0, 0, 0, 0)
  bytes.writeUInt32BE(size, 1)
  return bytes
}
