import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { Clock } from '../../util/clock.ts'
import { entryFile } from '../../util/entry.ts'
import { CaracalError, messageOf, NotSupported, Refused, RetryLater, StorageError } from '../../util/errors.ts'
import { encodeFrame, type Frame, FrameReader } from '../../util/frames.ts'
import { type ChildOptions, NOT_UNDERSTOOD, type Reply, type Request } from './chdb-protocol.ts'
import { type Brought, QueryNotUnderstood, type QueryProgress } from './lake.ts'

type Done = Extract<Reply, { op: 'done' }>

/** The lake's folder is open in another process. */
export class FolderTaken extends StorageError {}

/** Maximum length of the engine's output to keep, to explain why it ended. */
const KEPT_STDERR_CHARS = 4000

/** Retry delay for callers whose requests were pending when the process ended. */
const AGAIN_MS = 1000

/** When asked to finish, the process has this long before it is killed. Rows not stored by then are inserted again. */
const CLOSE_MS = 5000
/** After the kill it has this long to exit: a process in a system call on a broken disk only exits when that call returns. */
const GONE_MS = 2000

/** A pending request to the process. */
export interface Asked {
  readonly answer: Promise<Frame<Done>>
  /** A query that a reader has started. */
  readonly hasBegun: boolean
  /** Ends a query, which is then answered with an error. */
  cancel(): void
  /** How far a query is; `undefined` if it does not run. */
  progress(): Promise<QueryProgress | undefined>
}

interface Waiting {
  readonly op: Request['op']
  readonly askedAt: number
  readonly resolve: (frame: Frame<Done>) => void
  readonly reject: (error: Error) => void
  hasBegun: boolean
}

/** One run of the lake's process. It is started once, and when it ends, all pending requests reject with `RetryLater`. */
export class ChdbProcess {
  /**
   * Resolves once the lake is open, with the tables that were migrated to the current layout. Rejects with the reason if it cannot be
   * opened.
   */
  readonly ready: Promise<readonly Brought[]>
  /** Resolves, and never rejects, when the process is gone. */
  readonly ended: Promise<void>
  readonly #child: ChildProcess
  readonly #clock: Clock
  readonly #waiting = new Map<number, Waiting>()
  readonly #path: string
  #next = 1
  #stderr = ''
  #gone: Error | undefined
  #reason: string | undefined
  #hasCulprit = false

  constructor(options: ChildOptions, clock: Clock) {
    this.#path = options.path
    this.#clock = clock
    const threads = options.readers + 4
    this.#child = spawn(
      process.execPath,
      [entryFile('stages/store/chdb-child'), JSON.stringify(options)],
      // Descriptor 3 carries the answers, 4 the requests, because the engine reads standard input. The environment contains nothing that
      // SQL could expose.
      { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'], env: { UV_THREADPOOL_SIZE: String(threads), TZ: 'UTC' } },
    )
    this.#requests.on('error', () => {})
    this.#child.stderr!.on('data', (text: Buffer) => {
      this.#stderr = (this.#stderr + text.toString()).slice(-KEPT_STDERR_CHARS)
    })
    this.ended = new Promise((resolve) => this.#child.once('close', () => resolve()))
    this.ready = new Promise((resolve, reject) => {
      this.#listen(resolve, reject)
      this.#child.once('error', (error) => reject(new StorageError(`the lake's process did not start: ${error.message}`)))
      this.#child.once('close', (code, signal) => {
        this.#reason ??= `it ended by itself (${signal ?? `exit ${code}`})${this.#lastWords()}`
        this.#fail(new RetryLater(`the lake's process ended (${signal ?? `exit ${code}`})${this.#lastWords()}`, AGAIN_MS))
        reject(this.#gone!)
      })
    })
    this.ready.catch(() => {})
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** True if it accepts no more requests. */
  get isGone(): boolean {
    return this.#gone !== undefined
  }

  /** Why it ended, for error messages; `undefined` while it runs. */
  get reason(): string | undefined {
    return this.#reason
  }

  /** True if it was ended because of one query. */
  get hasCulprit(): boolean {
    return this.#hasCulprit
  }

  /** When the oldest pending insert or table definition was requested, in the clock's time. */
  get oldestWrite(): number | undefined {
    const writes = [...this.#waiting.values()].filter(({ op }) => op === 'store' || op === 'ensure')
    return writes.length > 0 ? Math.min(...writes.map(({ askedAt }) => askedAt)) : undefined
  }

  /** Sends a request. The answer rejects with `RetryLater` if the process ends first. */
  start(request: Record<string, unknown> & { op: Request['op'] }, payload?: Uint8Array): Asked {
    if (this.#gone) throw this.#gone
    const id = this.#next++
    const waiting = { op: request.op, askedAt: this.#clock.now(), hasBegun: false }
    const answer = new Promise<Frame<Done>>((resolve, reject) => {
      this.#waiting.set(id, Object.assign(waiting, { resolve, reject }))
      this.#send({ ...request, id }, payload)
    })
    return {
      answer,
      get hasBegun() {
        return waiting.hasBegun
      },
      cancel: () => this.#send({ op: 'cancel', id }),
      progress: async () => (await this.ask({ op: 'progress', query: id })).header.progress,
    }
  }

  /** Sends a request and waits for its answer. */
  async ask(...request: Parameters<ChdbProcess['start']>): Promise<Frame<Done>> {
    return await this.start(...request).answer
  }

  ping(): Promise<unknown> {
    return this.ask({ op: 'ping' })
  }

  /** Asks the process to finish, and kills it if that takes too long. Resolves when it is gone or the wait has timed out. */
  async close(): Promise<void> {
    this.#reason ??= 'the lake was closed'
    const closed = this.ask({ op: 'close' })
      .catch(() => {})
      .then(() => {
        this.#requests.end()
        return this.ended
      })
    if (await this.#within(CLOSE_MS, closed)) return
    this.end('the lake was closed')
    await this.#within(GONE_MS, this.ended)
  }

  /** Kills the process. `why` is shown to users and begins with "it". `hasCulprit`: one query is to blame and all others are not. */
  end(why: string, hasCulprit = false): void {
    this.#reason ??= why
    this.#hasCulprit ||= hasCulprit
    this.#fail(new RetryLater(`the lake's process was killed and is being replaced because ${why}; try again`, AGAIN_MS))
    this.#child.kill('SIGKILL')
  }

  async #within(ms: number, done: Promise<void>): Promise<boolean> {
    let cancel = () => {}
    const late = new Promise<boolean>((resolve) => {
      cancel = this.#clock.after(ms, () => resolve(false))
    })
    return await Promise.race([done.then(() => true), late]).finally(() => cancel())
  }

  get #requests(): Writable {
    return this.#child.stdio[4] as Writable
  }

  #send(header: object, payload?: Uint8Array): void {
    const requests = this.#requests
    if (requests.writable) for (const part of encodeFrame(header, payload)) requests.write(part)
  }

  #listen(ready: (brought: readonly Brought[]) => void, failed: (error: Error) => void): void {
    const reader = new FrameReader<Reply>()
    const output = this.#child.stdio[3] as Readable
    output.on('data', (chunk: Uint8Array) => {
      for (const { header, payload } of reader.push(chunk)) {
        if (header.op === 'ready') ready(header.brought)
        else if (header.op === 'failed') failed(this.#openError(header.code, header.message))
        else if (header.op === 'began') this.#began(header.id)
        else this.#settle(header, payload)
      }
    })
  }

  #began(id: number): void {
    const waiting = this.#waiting.get(id)
    if (waiting) waiting.hasBegun = true
  }

  #settle(reply: Extract<Reply, { op: 'done' | 'error' }>, payload: Uint8Array): void {
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
      `the lake at ${this.#path} is open in another process: stop that one, or use a different data_dir for this one`,
    )
  }

  #lastWords(): string {
    const words = this.#stderr.trim().split('\n').at(-1)
    return words ? `; it said: ${words.slice(0, 500)}` : ''
  }
}

function rebuild(code: string, message: string): Error {
  if (code === 'refused') return new Refused(message)
  if (code === NOT_UNDERSTOOD) return new QueryNotUnderstood(message)
  if (code === 'retry_later') return new RetryLater(message)
  if (code === 'storage') return new StorageError(message)
  if (code === 'not_supported') return new NotSupported(message.replace(/^not supported yet: /, ''))
  return new CaracalError(code, messageOf(message))
}
