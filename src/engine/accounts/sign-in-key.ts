import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, messageOf, StorageError } from '../../util/errors.ts'

/** The file of the data folder with the key. */
export const SIGN_IN_KEY = 'sign-in-key'

/**
 * The key that signs cookies and encrypts second factors, created on first start; only its owner may read the file. It is not in the state,
 * so that a copy of the state lets nobody sign in. Throws `StorageError` if it cannot be read or written, `ConfigError` if it is malformed.
 */
export function signInKey(dataDir: string): string {
  const kept = readSignInKey(dataDir)
  if (kept !== undefined) return kept
  const key = randomBytes(32).toString('base64url')
  writeSignInKey(dataDir, key)
  return key
}

/** Stores the key. Throws `StorageError` if it cannot be written. */
export function writeSignInKey(dataDir: string, key: string): void {
  const file = join(dataDir, SIGN_IN_KEY)
  const draft = `${file}.${process.pid}`
  try {
    // An interrupted start leaves no empty file.
    writeFileSync(draft, `${key}\n`, { mode: 0o600, flush: true })
    renameSync(draft, file)
  } catch (error) {
    throw new StorageError(`The key cannot be written to ${file}: ${messageOf(error)}. Is the disk full?`, { cause: error })
  }
}

const CONSEQUENCE =
  'everyone has to sign in again, and authenticator apps have to be set up again (`caracal users reset --second-factor`).'

/** The stored key, or `undefined` before one has been stored. Throws as `signInKey` does. */
export function readSignInKey(dataDir: string): string | undefined {
  const file = join(dataDir, SIGN_IN_KEY)
  let key: string
  try {
    key = readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    const text = `The key ${file} cannot be read: ${messageOf(error)}. Give this user read access, or remove it: the next start creates a new one, after which ${CONSEQUENCE}`
    throw new StorageError(text, { cause: error })
  }
  if (/^[\w-]{43}$/.test(key)) return key
  throw new ConfigError(
    `the key does not have 43 characters of base64url. Restore the file from a backup, or remove it: the next start creates a new one, after which ${CONSEQUENCE}`,
    { file },
  )
}
