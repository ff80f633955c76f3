import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, messageOf, StorageError } from '../util/errors.ts'

/**
 * The data folder's token, created on first start; only its owner may read the file. Throws `StorageError` if it cannot be read or written,
 * `ConfigError` if it is malformed.
 */
export function dataToken(dataDir: string): string {
  const file = join(dataDir, 'token')
  const kept = readToken(file)
  if (kept !== undefined) return kept
  const token = randomBytes(24).toString('base64url')
  const draft = `${file}.${process.pid}`
  try {
    // An interrupted start leaves no empty token.
    writeFileSync(draft, `${token}\n`, { mode: 0o600, flush: true })
    renameSync(draft, file)
  } catch (error) {
    throw new StorageError(`The token cannot be written to ${file}: ${messageOf(error)}. Is the disk full?`, { cause: error })
  }
  return token
}

/** `undefined` if the file does not exist. Silently replacing a malformed token would lock out every sender. */
function readToken(file: string): string | undefined {
  let token: string
  try {
    token = readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    const text = `The token ${file} cannot be read: ${messageOf(error)}. Give this user read access, or remove it: the next start creates a new token, which senders must then use.`
    throw new StorageError(text, { cause: error })
  }
  if (/^[\x21-\x7e]{1,1000}$/.test(token)) return token
  const what = token === '' ? 'is empty' : 'is not one line of up to 1,000 visible ASCII characters'
  const advice = 'Write the token that senders use into it, or remove it: the next start creates a new one.'
  throw new ConfigError(`the token ${what}. ${advice}`, { file })
}
