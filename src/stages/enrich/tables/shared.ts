/** Arrays in memory that threads share instead of copying. */

export function sharedInt32(length: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(length * 4))
}

export function sharedUint32(length: number): Uint32Array<SharedArrayBuffer> {
  return new Uint32Array(new SharedArrayBuffer(length * 4))
}

export function sharedFloat64(length: number): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer(length * 8))
}

export function sharedBytes(length: number): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(length))
}

/** Total size in bytes of all arrays in the value, at any depth. */
export function bytesOf(image: unknown): number {
  if (ArrayBuffer.isView(image)) return image.byteLength
  if (typeof image !== 'object' || image === null) return 0
  return Object.values(image).reduce<number>((sum, part) => sum + bytesOf(part), 0)
}
