import { open } from 'node:fs/promises'
import type { ObjectStore, StoredObject } from './store.ts'

/** Requested at a time: all that a download holds in memory. */
const PART_BYTES = 8 * 1024 * 1024

/** The object is larger than the limit. */
export class ObjectTooLarge extends Error {
  readonly size: number

  constructor(size: number) {
    super(`the object has ${size} bytes`)
    this.size = size
  }
}

/** Writes the object to a file, part by part, and returns its size in bytes. */
export async function download(
  store: ObjectStore,
  object: StoredObject,
  { path, maxBytes, signal }: { readonly path: string; readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<number> {
  if (object.size !== undefined && object.size > maxBytes) throw new ObjectTooLarge(object.size)
  const file = await open(path, 'w', 0o600)
  try {
    for (let at = 0; ; ) {
      const { bytes, size } = await store.read(object, { from: at, length: PART_BYTES, signal })
      if (size > maxBytes) throw new ObjectTooLarge(size)
      await file.write(bytes)
      at += bytes.length
      if (at >= size || bytes.length === 0) return at
    }
  } finally {
    await file.close()
  }
}
