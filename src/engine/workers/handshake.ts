import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** What the two sides of a connection switch to. */
export const PROTOCOL = 'caracal-worker'
export const WORKER_PATH = '/worker'
export const HEADERS = {
  version: 'caracal-version',
  nonce: 'caracal-nonce',
  proof: 'caracal-proof',
  threads: 'caracal-threads',
} as const

/** Bytes of a proof. */
export const PROOF_BYTES = 32
const NONCE_BYTES = 24

type Side = 'active' | 'worker'

/** A value that was never used before. */
export function newNonce(): string {
  return randomBytes(NONCE_BYTES).toString('base64url')
}

/**
 * Proves that this side knows the key that all nodes with the same state have, without sending it. `nonces`: that of the active node, then
 * the worker's.
 */
export function proofOf(side: Side, key: string, nonces: readonly [string, string]): Buffer {
  return createHmac('sha256', createHmac('sha256', key).update('caracal workers').digest())
    .update([side, ...nonces].join('\n'))
    .digest()
}

/** Whether it is the proof of that side. */
export function isProof(given: Buffer, side: Side, key: string, nonces: readonly [string, string]): boolean {
  return given.length === PROOF_BYTES && timingSafeEqual(given, proofOf(side, key, nonces))
}
