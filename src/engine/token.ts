import { randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The data folder's token, made on first start; only its owner may read the file. */
export function dataToken(dataDir: string): string {
  const file = join(dataDir, 'token')
  try {
    const token = readFileSync(file, 'utf8').trim()
    if (token) return token
  } catch {
    // Not there yet.
  }
  const token = randomBytes(24).toString('base64url')
  writeFileSync(file, `${token}\n`, { mode: 0o600 })
  return token
}

/** Compares secrets in a time that tells nothing of where they differ. */
export function sameSecret(given: string | undefined, expected: string): boolean {
  if (given === undefined) return false
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
