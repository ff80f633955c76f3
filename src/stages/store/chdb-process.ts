import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { entryFile } from '../../util/entry.ts'
import { CaracalError, messageOf, NotSupported, Refused, RetryLater, StorageError } from '../../util/errors.ts'
import { encodeFrame, type Frame, FrameReader } from '../../util/frames.ts'
import type { ChildOptions, Reply, Request } from './chdb-protocol.ts'

type Done = Extract<Reply, { op: 'done' }>

/** The lake's folder is open in another process. */
export class FolderTaken extends StorageError {}

/** So much of what the engine prints is kept, to explain its end. */
const KEPT_STDERR_CHARS = 4000

interface Waiting {
  readonly resolve: (frame: Frame<Done>) => void
  readonly reject: (error: Error) => void
}

/** One run of the lake's process. It is started once and, when it ends, everything under way rejects with `RetryLater`. */
export class ChdbProcess {
  /** Resolves when the lake is open; rejects with the reason why not. */
  readonly ready: Promise<void>
  /** Resolves, never rejects, when the process is gone. */
  readonly ended: Promise<void>
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  readonly #path: string
  #next = 1
  #stderr = ''
  #gone: Error | undefined

  constructor(options: ChildOptions) {
    this.#path = options.path
    const threads = options.readers + 4
    this.#child = spawn(
      process.execPath,
      [entryFile('stages/store/chdb-child'), JSON.stringify(options)],
      // Descriptor 3 carries the answers. The environment holds nothing that SQL could give away.
      { stdio: ['pipe', 'ignore', 'pipe', 'pipe'], env: { UV_THREADPOOL_SIZE: String(threads), TZ: 'UTC' } },
    )
    this.#child.stdin!.on('error', () => {})
    this.#child.stderr!.on('data', (text: Buffer) => {
      this.#stderr = (this.#stderr + text.toString()).slice(-KEPT_STDERR_CHARS)
    })
    this.ended = new Promise((resolve) => this.#child.once('close', () => resolve()))
    this.ready = new Promise((resolve, reject) => {
      this.#listen(resolve, reject)
      this.#child.once('error', (error) => reject(new StorageError(`the lake's process did not start: ${error.message}`)))
      this.#child.once('close', (code, signal) => {
        this.#fail(new RetryLater(`the lake's process ended (${signal ?? `exit ${code}`})${this.#lastWords()}`))
        reject(this.#gone!)
      })
    })
    this.ready.catch(() => {})
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Sends a request and waits for its answer. `signal` ends a query under way. */
  async ask(
    request: Record<string, unknown> & { op: Request['op'] },
    payload?: Uint8Array,
    signal?: AbortSignal,
  ): Promise<Frame<Done>> {
    if (this.#gone) throw this.#gone
    const id = this.#next++
    const cancel = () => this.#send({ op: 'cancel', id })
    try {
      return await new Promise<Frame<Done>>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject })
        this.#send({ ...request, id }, payload)
        signal?.addEventListener('abort', cancel, { once: true })
        if (signal?.aborted) cancel()
      })
    } finally {
      signal?.removeEventListener('abort', cancel)
    }
  }

  /** Asks the process to finish; resolves when it is gone. */
  async close(): Promise<void> {
    await this.ask({ op: 'close' }).catch(() => {})
    this.#child.stdin!.end()
    await this.ended
  }

  /** Ends the process at once. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #send(header: object, payload?: Uint8Array): void {
    const stdin = this.#child.stdin as Writable
    if (stdin.writable) for (const part of encodeFrame(header, payload)) stdin.write(part)
  }

  #listen(ready: () => void, failed: (error: Error) => void): void {
    const reader = new FrameReader<Reply>()
    const output = this.#child.stdio[3] as Readable
    output.on('data', (chunk: Uint8Array) => {
      for (const { header, payload } of reader.push(chunk)) {
        if (header.op === 'ready') ready()
        else if (header.op === 'failed') failed(this.#openError(header.code, header.message))
        else this.#settle(header, payload)
      }
    })
  }

  #settle(reply: Extract<Reply, { id: number }>, payload: Uint8Array): void {
    const waiting = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if (reply.op === 'done') waiting?.resolve({ header: reply, payload })
    else waiting?.reject(rebuild(reply.code, reply.message))
  }

  #fail(error: Error): void {
    this.#gone ??= error
    for (const { reject } of this.#waiting.values()) reject(this.#gone)
    this.#waiting.clear()
  }

  #openError(code: string, message: string): Error {
    if (!this.#stderr.includes('Another server instance')) return rebuild(code, message + this.#lastWords())
    return new FolderTaken(
      `the lake at ${this.#path} is open in another process: stop that one, or give this one another data_dir`,
    )
  }

  #lastWords(): string {
    const words = this.#stderr.trim().split('\n').at(-1)
    return words ? `; it said: ${words.slice(0, 500)}` : ''
  }
}

function rebuild(code: string, message: string): Error {
  if (code === 'refused') return new Refused(message)
  if (code === 'retry_later') return new RetryLater(message)
  if (code === 'storage') return new StorageError(message)
  if (code === 'not_supported') return new NotSupported(message.replace(/^not supported yet: /, ''))
  return new CaracalError(code, messageOf(message))
}
