import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'

/** What a thread needs to ask another one and wait for the answer. To be handed over with `port` in the transfer list. */
export interface AskingEnd {
  readonly port: MessagePort
  /** Becomes 1 when the answer is there. */
  readonly signal: Int32Array
}

type Answer = { readonly value: unknown } | { readonly error: string }

/**
 * For a function that cannot wait otherwise: stands still until the other thread has answered, which must not depend on this one. Throws
 * what the other side rejects with.
 */
export function ask({ port, signal }: AskingEnd, question: unknown): unknown {
  Atomics.store(signal, 0, 0)
  port.postMessage(question)
  Atomics.wait(signal, 0, 0)
  const { message } = receiveMessageOnPort(port) as { readonly message: Answer }
  if ('error' in message) throw new Error(message.error)
  return message.value
}

/** The end for the thread that asks; this one answers, however long that takes. `close` ends it. */
export function answering<Question>(answer: (question: Question) => Promise<unknown>): {
  readonly end: AskingEnd
  readonly close: () => void
} {
  const { port1, port2 } = new MessageChannel()
  const signal = new Int32Array(new SharedArrayBuffer(4))
  port1.on('message', async (question: Question) => {
    const given: Answer = await answer(question).then(
      (value) => ({ value }),
      (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }),
    )
    port1.postMessage(given)
    Atomics.store(signal, 0, 1)
    Atomics.notify(signal, 0)
  })
  port1.unref()
  return { end: { port: port2, signal }, close: () => port1.close() }
}
