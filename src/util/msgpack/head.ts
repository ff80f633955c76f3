/** The bytes are not in the format MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md). */
export class MalformedMsgpack extends Error {}

export type MsgpackKind = 'nil' | 'boolean' | 'unsigned' | 'signed' | 'float' | 'text' | 'bytes' | 'extension' | 'array' | 'map'

/** What the first bytes of a value say about it. */
export interface MsgpackHead {
  readonly kind: MsgpackKind
  /** Where the bytes of its content begin, and how many there are; those of an extension begin with its type. */
  readonly from: number
  readonly length: number
  /** Number of values in it; each pair of a map has two. */
  readonly inner: number
}

/** For the first bytes 0xc0 to 0xdf: kind, number of bytes that hold a size, and the size where no bytes hold it. */
const LAYOUTS: readonly (readonly [kind: MsgpackKind, sizeBytes: 0 | 1 | 2 | 4, size: number] | undefined)[] = [
  ['nil', 0, 0],
  // Never used.
  undefined,
  ['boolean', 0, 0],
  ['boolean', 0, 0],
  ['bytes', 1, 0],
  ['bytes', 2, 0],
  ['bytes', 4, 0],
  ['extension', 1, 0],
  ['extension', 2, 0],
  ['extension', 4, 0],
  ['float', 0, 4],
  ['float', 0, 8],
  ['unsigned', 0, 1],
  ['unsigned', 0, 2],
  ['unsigned', 0, 4],
  ['unsigned', 0, 8],
  ['signed', 0, 1],
  ['signed', 0, 2],
  ['signed', 0, 4],
  ['signed', 0, 8],
  ['extension', 0, 1],
  ['extension', 0, 2],
  ['extension', 0, 4],
  ['extension', 0, 8],
  ['extension', 0, 16],
  ['text', 1, 0],
  ['text', 2, 0],
  ['text', 4, 0],
  ['array', 2, 0],
  ['array', 4, 0],
  ['map', 2, 0],
  ['map', 4, 0],
]

/** The head of the value at `at`; `undefined` if it is not complete. Throws `MalformedMsgpack`. */
export function msgpackHead(bytes: Buffer, at: number): MsgpackHead | undefined {
  const first = bytes[at]
  if (first === undefined) return undefined
  if (first < 0x80 || first >= 0xe0) return { kind: 'signed', from: at, length: 1, inner: 0 }
  if (first < 0x90) return sized('map', at + 1, first & 0x0f)
  if (first < 0xa0) return sized('array', at + 1, first & 0x0f)
  if (first < 0xc0) return sized('text', at + 1, first & 0x1f)
  const layout = LAYOUTS[first - 0xc0]
  if (!layout) throw new MalformedMsgpack(`no value begins with the byte 0x${first.toString(16)}`)
  const [kind, sizeBytes, size] = layout
  if (sizeBytes === 0) return sized(kind, at + 1, size)
  const from = at + 1 + sizeBytes
  return from > bytes.length ? undefined : sized(kind, from, bytes.readUIntBE(at + 1, sizeBytes))
}

function sized(kind: MsgpackKind, from: number, size: number): MsgpackHead {
  if (kind === 'array') return { kind, from, length: 0, inner: size }
  if (kind === 'map') return { kind, from, length: 0, inner: 2 * size }
  return { kind, from, length: kind === 'extension' ? size + 1 : size, inner: 0 }
}
