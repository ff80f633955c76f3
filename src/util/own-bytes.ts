/** Bytes that can go over to another thread: the same when all of their buffer is theirs or nearly so, else a copy. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset === 0 && bytes.length * 2 >= bytes.buffer.byteLength && bytes.length > Buffer.poolSize
    ? bytes
    : new Uint8Array(bytes)
}
