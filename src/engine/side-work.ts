import { parentPort, Worker, workerData } from 'node:worker_threads'
import { entryFile } from '../util/entry.ts'
import { ConfigError, messageOf, Refused, RetryLater } from '../util/errors.ts'

/** Calls that may wait or run: each needs a thread while it runs. */
const MAX_CALLS = 8

/** The thread's only message. `isRefused`: what was asked for does not exist or makes no sense. */
type Answer<R> = { readonly result: R } | { readonly failed: string; readonly isRefused: boolean }

export interface SideWorkOptions {
  /** The thread's file below `src`, without extension. */
  readonly entry: string
  /** The thread's name, and what it makes, for messages: `explanations`. */
  readonly name: string
  readonly makes: string
  /** Time limit of one call, once it is its turn. Default: none. */
  readonly maxMs?: number
}

/** Work for single calls that takes seconds: each in a separate thread, one at a time, so that nothing else waits for it. */
export class SideWork<Data, Result> {
  readonly #options: SideWorkOptions
  #last: Promise<unknown> = Promise.resolve()
  #calls = 0

  constructor(options: SideWorkOptions) {
    this.#options = options
  }

  /** `make` reads the input when it is the call's turn. Rejects with `Refused`, also if it takes too long, or as `make` does, with `RetryLater` if too many calls wait. */
  async run(make: () => Promise<Data>): Promise<Result> {
    if (this.#calls >= MAX_CALLS) throw new RetryLater(`${MAX_CALLS} ${this.#options.makes} are being made already: try again`)
    this.#calls++
    try {
      const result = this.#last.then(async () => this.#inThread(await make()))
      this.#last = result.catch(() => {})
      return await result
    } finally {
      this.#calls--
    }
  }

  async #inThread(data: Data): Promise<Result> {
    const { entry, name, makes, maxMs } = this.#options
    const worker = new Worker(entryFile(entry), { name, workerData: data })
    worker.unref()
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise((resolve, reject) => {
        if (maxMs !== undefined)
          timer = setTimeout(() => reject(new Refused(`it was ended after ${maxMs / 1000} s, the limit for ${makes}`)), maxMs)
        worker.once('message', (answer: Answer<Result>) => {
          if ('result' in answer) resolve(answer.result)
          else reject(answer.isRefused ? new Refused(answer.failed) : new Error(answer.failed))
        })
        worker.once('error', reject)
        worker.once('exit', (code) => reject(new Error(`the thread that makes ${makes} has ended (${code})`)))
      })
    } finally {
      clearTimeout(timer)
      await worker.terminate()
    }
  }
}

/** In the thread: does the work and posts its result, or why it failed. */
export async function answerSideWork<Data, Result>(work: (data: Data) => Promise<Result>): Promise<void> {
  const answer = await work(workerData as Data).then(
    (result): Answer<Result> => ({ result }),
    (error): Answer<Result> => ({
      failed: messageOf(error),
      isRefused: error instanceof ConfigError || error instanceof Refused,
    }),
  )
  parentPort!.postMessage(answer)
}
