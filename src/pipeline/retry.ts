import { messageOf, StorageError } from '../util/errors.ts'

const RETRY_MS = 500
/** Attempts that may fail before an error that is not the disk's counts as lasting. */
const MAX_ATTEMPTS = 3

export interface RetryOptions {
  /** What is wrong while it fails, for people; `undefined` once it works again. */
  readonly onTrouble: (message: string | undefined) => void
  readonly isStopping: () => boolean
}

/**
 * Tries until it works. Only the disk is waited for without end: another error is thrown after three attempts, for the caller to find
 * out which part is at fault. Rejects with the last error as soon as the loop is to stop.
 */
export async function retry<T>(what: string, attempt: () => Promise<T>, { onTrouble, isStopping }: RetryOptions): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      const value = await attempt()
      if (tries > 1) onTrouble(undefined)
      return value
    } catch (error) {
      const until = error instanceof StorageError ? ', nothing goes on until it can' : ' and is tried again'
      onTrouble(`${what}${until}: ${messageOf(error)}`)
      if (isStopping()) throw error
      if (tries >= MAX_ATTEMPTS && !(error instanceof StorageError)) {
        onTrouble(undefined)
        throw error
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}
