import { createHash } from 'node:crypto'

/**
 * The first 16 hex digits of SHA-256 over the parts, each terminated by a NUL so that different lists of parts do not collide.
 */
export function hash16(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex').slice(0, 16)
}

/** SHA-256 of bytes, hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
