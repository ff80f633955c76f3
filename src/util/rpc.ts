import type { MessagePort, TransferListItem, Worker } from 'node:worker_threads'
import { CaracalError, messageOf, RetryLater, rebuiltError } from './errors.ts'

/**
 * The calls that one side of a port answers, as an interface of functions with at most one argument. Arguments and results are
 * copied, so they must be plain values.
 */
export type Calls<C> = { readonly [M in keyof C]: (argument: never) => unknown }

// biome-ignore lint/suspicious/noExplicitAny: infers the parameters and the answer of any function.
type AnyCall = (...argument: any[]) => unknown
type Argument<F> = F extends AnyCall ? Parameters<F> : never
type Answer<F> = F extends AnyCall ? Awaited<ReturnType<F>> : never

/** The functions that answer these calls. */
export type Handlers<C> = {
  readonly [M in keyof C]: (
    ...argument: Argument<C[M]>
  ) => Answer<C[M]> | Transfer<Answer<C[M]>> | Promise<Answer<C[M]> | Transfer<Answer<C[M]>>>
}

/** A connection to another process that carries messages in their order, as a port does between threads. */
export interface MessageConnection {
  /** `transfer` is for ports of threads: a connection copies. */
  postMessage(message: unknown, transfer: readonly TransferListItem[]): void
  on(event: 'message', listener: (message: never) => void): unknown
}

type RpcPort = MessagePort | Worker | MessageConnection

/** The other side of a port, as callers see it. */
export type Remote<C extends Calls<C>> = Pick<Rpc<C>, 'call' | 'move'>

interface CallMessage {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}
interface AnswerMessage {
  readonly id: number
  readonly value?: unknown
  readonly error?: {
    readonly afterMs: number | undefined
    readonly code: string | undefined
    readonly message: string
    readonly stack: string | undefined
  }
}

/** Wraps a handler's result to transfer buffers instead of copying them. */
export class Transfer<T> {
  readonly value: T
  readonly list: readonly TransferListItem[]

  constructor(value: T, list: readonly TransferListItem[]) {
    this.value = value
    this.list = list
  }
}

/**
 * Calls over a port in both directions: the other side answers `Theirs`, this side answers `Ours`. An error on the other
 * side rejects the call with its code and message.
 */
export class Rpc<Theirs extends Calls<Theirs>, Ours extends Calls<Ours> = Record<never, never>> {
  readonly #port: RpcPort
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  /** Calls that arrived before `serve`. */
  readonly #early: CallMessage[] = []
  #handlers: Handlers<Ours> | undefined
  #next = 1
  #closed: Error | undefined

  /** Listens from now on; calls that arrive before `serve` wait for it. */
  constructor(port: RpcPort, handlers?: Handlers<Ours>) {
    this.#port = port
    this.#handlers = handlers
    ;(port as MessageConnection).on('message', (message: CallMessage | AnswerMessage) => {
      if (!('method' in message)) this.#settle(message)
      else if (this.#handlers) void this.#answer(message, this.#handlers)
      else this.#early.push(message)
    })
  }

  /** Answers calls with these functions. */
  serve(handlers: Handlers<Ours>): void {
    this.#handlers = handlers
    for (const message of this.#early.splice(0)) void this.#answer(message, handlers)
  }

  /** Calls the other side. Rejects if it throws or the port is closed. */
  call<M extends keyof Theirs & string>(method: M, ...[argument]: Argument<Theirs[M]>): Promise<Answer<Theirs[M]>> {
    return this.#send(method, argument, [])
  }

  /** Like `call`, but transfers the buffers in `list` instead of copying them. */
  move<M extends keyof Theirs & string>(
    method: M,
    argument: Argument<Theirs[M]>[0],
    list: readonly TransferListItem[],
  ): Promise<Answer<Theirs[M]>> {
    return this.#send(method, argument, list)
  }

  /** All pending and later calls reject with `error`. */
  fail(error: Error): void {
    this.#closed = error
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  #send<T>(method: string, argument: unknown, list: readonly TransferListItem[]): Promise<T> {
    if (this.#closed) return Promise.reject(this.#closed)
    const id = this.#next++
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#port.postMessage({ id, method, argument } satisfies CallMessage, [...list])
    })
  }

  #settle({ id, value, error }: AnswerMessage): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (!waiting) return
    if (error) {
      const rebuilt = rebuiltError(error.code, error.message, error.afterMs)
      if (error.stack) rebuilt.stack = error.stack
      waiting.reject(rebuilt)
    } else waiting.resolve(value)
  }

  async #answer({ id, method, argument }: CallMessage, handlers: Handlers<Ours>): Promise<void> {
    try {
      const calls = handlers as unknown as Record<string, ((argument: unknown) => unknown) | undefined>
      // Over a connection, the name may be any.
      if (method in Object.prototype || typeof calls[method] !== 'function') throw new Error(`there is no call '${method}'`)
      const answer = await calls[method](argument)
      if (answer instanceof Transfer)
        this.#port.postMessage({ id, value: answer.value } satisfies AnswerMessage, [...answer.list])
      else this.#port.postMessage({ id, value: answer } satisfies AnswerMessage, [])
    } catch (caught) {
      const error = caught instanceof Error ? caught : new Error(String(caught))
      const code = error instanceof CaracalError ? error.code : undefined
      const afterMs = error instanceof RetryLater ? error.afterMs : undefined
      const answer: AnswerMessage = { id, error: { afterMs, code, message: messageOf(error), stack: error.stack } }
      this.#port.postMessage(answer, [])
    }
  }
}
