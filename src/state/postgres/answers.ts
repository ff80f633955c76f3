import { setTimeout as sleep } from 'node:timers/promises'
import type { StorageError } from '../../util/errors.ts'
import { messageOf } from '../../util/errors.ts'
import type { PostgresPlace } from './place.ts'
import { Session, TIMES } from './session.ts'

export interface AnswerOptions {
  /** Called once, with what the server said first. */
  readonly onWait: (message: string) => void
  /** Aborted: nothing is waited for any longer. */
  readonly signal?: AbortSignal | undefined
  /** How long it is waited for. */
  readonly forMs?: number
}

const FOR_MS = 60_000
const EVERY_MS = 500
/** No connection: the server starts, or is away for a moment. SQLSTATE 57P03: it starts or recovers; 53300: it has no connection left. */
const PASSING = /^(?:ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|57P03|53300)$/
/** The client's errors without a code. */
const NO_ANSWER = /timeout expired|connection (?:terminated|timeout)|server has closed/i

/**
 * Resolves when the server lets this user in: at a start of everything, Caracal may be ready sooner.
 *
 * @throws {StorageError} at once if the server refuses, or its name is wrong; after a minute without an answer; the signal's reason when it is aborted.
 */
export async function whenItAnswers(place: PostgresPlace, { onWait, signal, forMs = FOR_MS }: AnswerOptions): Promise<void> {
  const untilMs = performance.now() + forMs
  for (let isFirst = true; ; isFirst = false) {
    signal?.throwIfAborted()
    try {
      const session = await Session.open(place, 'read', { ...TIMES, statementMs: TIMES.connectMs })
      return await session.close()
    } catch (error) {
      if (!isPassing(error as StorageError) || performance.now() >= untilMs) throw error
      if (isFirst) onWait(messageOf(error))
    }
    await sleep(EVERY_MS, undefined, signal ? { signal } : {}).catch(() => {})
  }
}

function isPassing({ cause }: StorageError): boolean {
  const { code } = (cause ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' ? PASSING.test(code) : cause !== undefined && NO_ANSWER.test(messageOf(cause))
}
