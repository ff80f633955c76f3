/** Arrays in memory that other threads can share: they get the same bytes, not a copy. */

export function sharedInt32(length: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(length * 4))
}

export function sharedUint32(length: number): Uint32Array<SharedArrayBuffer> {
  return new Uint32Array(new SharedArrayBuffer(length * 4))
}

export function sharedBytes(length: number): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(length))
}

/** Bytes of all arrays in it, however deep. */
export function bytesOf(image: unknown): number {
  if (ArrayBuffer.isView(image)) return image.byteLength
  if (typeof image !== 'object' || image === null) return 0
  return Object.values(image).reduce<number>((sum, part) => sum + bytesOf(part), 0)
}
