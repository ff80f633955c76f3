import type { MessagePort, TransferListItem, Worker } from 'node:worker_threads'
import { CaracalError, messageOf, RetryLater, rebuiltError } from './errors.ts'

/** What the other side of a port may ask for: name → function of one plain argument. */
// biome-ignore lint/suspicious/noExplicitAny: each handler states its own argument; the port carries any plain value.
export type Handlers = Record<string, (argument: any) => unknown>

interface Call {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}
interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: {
    readonly afterMs: number | undefined
    readonly code: string | undefined
    readonly message: string
    readonly stack: string | undefined
  }
}

/** Wrap a handler's answer to move buffers instead of copying them. */
export class Transfer<T> {
  readonly value: T
  readonly list: readonly TransferListItem[]

  constructor(value: T, list: readonly TransferListItem[]) {
    this.value = value
    this.list = list
  }
}

/** Calls over a thread's port, both ways. An error on the other side rejects the call with its code and message. */
export class Rpc {
  readonly #port: MessagePort | Worker
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  #next = 1
  #closed: Error | undefined

  constructor(port: MessagePort | Worker, handlers: Handlers = {}) {
    this.#port = port
    port.on('message', (message: Call | Answer) => {
      if ('method' in message) void this.#serve(message, handlers)
      else this.#settle(message)
    })
  }

  /** Asks the other side. Rejects when it throws or when the port is closed. */
  call<T = void>(method: string, argument?: unknown, transfer: readonly TransferListItem[] = []): Promise<T> {
    if (this.#closed) return Promise.reject(this.#closed)
    const id = this.#next++
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#port.postMessage({ id, method, argument } satisfies Call, [...transfer])
    })
  }

  /** Every call under way and every later one rejects with `error`. */
  fail(error: Error): void {
    this.#closed = error
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  #settle({ id, value, error }: Answer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (!waiting) return
    if (error) {
      const rebuilt = rebuiltError(error.code, error.message, error.afterMs)
      if (error.stack) rebuilt.stack = error.stack
      waiting.reject(rebuilt)
    } else waiting.resolve(value)
  }

  async #serve({ id, method, argument }: Call, handlers: Handlers): Promise<void> {
    try {
      const handler = handlers[method]
      if (!handler) throw new Error(`no handler for '${method}'`)
      const answer = await handler(argument)
      if (answer instanceof Transfer) this.#port.postMessage({ id, value: answer.value } satisfies Answer, [...answer.list])
      else this.#port.postMessage({ id, value: answer } satisfies Answer)
    } catch (caught) {
      const error = caught instanceof Error ? caught : new Error(String(caught))
      const code = error instanceof CaracalError ? error.code : undefined
      const afterMs = error instanceof RetryLater ? error.afterMs : undefined
      this.#port.postMessage({
        id,
        error: { afterMs, code, message: messageOf(error), stack: error.stack },
      } satisfies Answer)
    }
  }
}
