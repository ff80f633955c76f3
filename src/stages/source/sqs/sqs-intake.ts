import { messageOf, RetryLater } from '../../../util/errors.ts'
import { inTime, pause } from '../../../util/pause.ts'
import { decodeText } from '../decoders/decode.ts'
import { countApart } from '../decoders/deliveries.ts'
import { MAX_RECORDS } from '../receive.ts'
import { HIDDEN_SECS, type Queue, type QueueMessage } from '../s3/queue.ts'
import type { Intake, IntakeDeps, IntakeStatus } from '../source.ts'
import { withoutSns } from './sns-envelope.ts'

export interface SqsIntakeOptions {
  readonly queue: Queue
  /** Parameters of `streamOf`. */
  readonly stream: string
  readonly deps: Pick<IntakeDeps, 'append' | 'now'>
}

/** Pauses after a failed request. */
const MIN_PAUSE_MS = 1000
const MAX_PAUSE_MS = 300_000
/** The spool is tried again after this long. */
const SPOOL_PAUSE_MS = 500
/** Ids of stored messages that are remembered. */
const MAX_REMEMBERED = 50_000
/** How long closing waits for the deletion of messages that are stored. */
const CLOSE_MS = 3000

/**
 * Moves messages from a queue into the spool, and deletes them when they are on disk: a kill loses none, and doubles those that were
 * stored but not deleted. While the spool has no room, no more are received, and those received are kept from being delivered again.
 */
export class SqsIntake implements Intake {
  readonly #queue: Queue
  readonly #decoding: string
  readonly #stream: string
  readonly #deps: SqsIntakeOptions['deps']
  readonly #stopping = new AbortController()
  /** For requests that may still be sent while the source closes. */
  readonly #closed = new AbortController()
  readonly #held = new Set<QueueMessage>()
  /** Ids of messages that are in the spool, the oldest first. */
  readonly #stored = new Set<string>()
  readonly #problems = new Map<'receive' | 'store' | 'delete' | 'refused', string>()
  readonly #timer: NodeJS.Timeout
  readonly #done: Promise<void>

  constructor({ queue, stream, deps }: SqsIntakeOptions) {
    this.#queue = queue
    this.#stream = stream
    this.#decoding = stream === '' ? 'lines' : `lines?${stream}`
    this.#deps = deps
    this.#timer = setInterval(() => this.#keep(), (HIDDEN_SECS * 1000) / 3).unref()
    this.#done = this.#run()
  }

  status(): IntakeStatus {
    const problems = [...this.#problems.values()]
    return { notices: problems, problems }
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    clearInterval(this.#timer)
    await inTime(this.#done, CLOSE_MS)
    this.#closed.abort()
    await this.#done
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    for (let failures = 0; !signal.aborted; ) {
      try {
        const messages = await this.#queue.receive(signal)
        failures = 0
        this.#problems.delete('receive')
        await this.#take(messages)
      } catch (error) {
        if (signal.aborted) return
        this.#problems.set('receive', `messages cannot be received: ${messageOf(error)}`)
        const afterMs = error instanceof RetryLater ? (error.afterMs ?? 0) : 0
        await pause(Math.min(MAX_PAUSE_MS, Math.max(afterMs, MIN_PAUSE_MS * 2 ** Math.min(failures++, 9))), signal)
      }
    }
  }

  async #take(messages: readonly QueueMessage[]): Promise<void> {
    for (const message of messages) this.#held.add(message)
    try {
      // Together, because those that arrive together share an fsync.
      const isDone = await Promise.all(messages.map((message) => this.#store(message)))
      const done = messages.filter((_, i) => isDone[i])
      if (done.length > 0) await this.#delete(done)
    } finally {
      for (const message of messages) this.#held.delete(message)
    }
  }

  /** Resolves with whether the message may be deleted. */
  async #store({ id, body: text }: QueueMessage): Promise<boolean> {
    if (this.#stored.has(id)) return true
    const body = Buffer.from(withoutSns(text))
    const { count, records } = decodeText(body, { stream: this.#stream, isStart: true, final: true, maxRecords: MAX_RECORDS + 1 })
    if (count > MAX_RECORDS || (this.#stream === '' && countApart({ bytes: body, records }, count) > MAX_RECORDS)) {
      const problem = `a message has more than ${MAX_RECORDS} records and stays in the queue: split what is sent`
      this.#problems.set('refused', `${problem} (message id ${shown(id)})`)
      return false
    }
    if (count > 0 && !(await this.#append(body))) return false
    this.#stored.add(id)
    if (this.#stored.size > MAX_REMEMBERED) this.#stored.delete(this.#stored.values().next().value!)
    return true
  }

  /** Tries until the spool has taken the body. False: the source is being closed, and the message comes again. */
  async #append(body: Uint8Array): Promise<boolean> {
    const { signal } = this.#stopping
    const receivedMs = this.#deps.now()
    for (;;) {
      try {
        // A copy, because the bytes are transferred to another thread.
        await this.#deps.append(Uint8Array.from(body), { decoding: this.#decoding, receivedMs })
        this.#problems.delete('store')
        return true
      } catch (error) {
        this.#problems.set('store', `messages wait in the queue: ${messageOf(error)}`)
        if (signal.aborted) return false
        await pause(error instanceof RetryLater ? (error.afterMs ?? SPOOL_PAUSE_MS) : SPOOL_PAUSE_MS, signal)
      }
    }
  }

  /** If that fails, the messages come again, are recognised, and are deleted then. */
  async #delete(messages: readonly QueueMessage[]): Promise<void> {
    try {
      await this.#queue.deleteAll(messages, this.#closed.signal)
      this.#problems.delete('delete')
    } catch (error) {
      if (this.#closed.signal.aborted) return
      this.#problems.set('delete', `messages that are stored cannot be deleted from the queue: ${messageOf(error)}`)
    }
  }

  #keep(): void {
    for (const message of this.#held) this.#queue.keep(message, this.#closed.signal).catch(() => {})
  }
}

/** An id as the service gave it, for a message. */
function shown(id: string): string {
  return id.replaceAll(/[^\w-]/g, '?').slice(0, 100)
}
