import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { entryFile, packageRoot } from '../../../../util/entry.ts'
import { messageOf } from '../../../../util/errors.ts'
import { encodeFrame, type Frame, FrameReader } from '../../../../util/frames.ts'
import { isReply } from './answer.ts'
import { childMeter, Patience } from './patience.ts'
import { isSameCall, type Request } from './protocol.ts'
import { answerOf, type FindRow, MAX_QUESTIONS } from './row-answer.ts'
import { pyodideFolder } from './sources.ts'

/** The child ended, or had to be ended, before it answered. */
export class SandboxDied extends Error {
  /** `timeout`: it was ended because a call did not return. `crash`: it ended by itself. */
  readonly how: 'timeout' | 'crash'
  /** The last reported mark; reliable if the child could still report or was in careful mode. */
  readonly mark: number | undefined
  /** It was still reading events, so no rule is at fault. */
  readonly isReading: boolean

  constructor(how: 'timeout' | 'crash', mark: number | undefined, message: string, isReading = false) {
    super(message)
    this.how = how
    this.mark = mark
    this.isReading = isReading
  }
}

/** The child was ended because its answer was malformed; the call at fault is unknown. */
export class MalformedAnswer extends SandboxDied {
  static readonly #how = 'crash'

  constructor(message: string) {
    super(MalformedAnswer.#how, 0, message)
  }
}

export interface RequestOptions {
  /** Each call is announced before it begins. */
  readonly careful?: boolean
  /** A call has used a quarter of its limit, so the child may have to be ended. Called once per request. */
  readonly onSlow?: () => void
  /** Reads tables for rules. Absent: there are none. */
  readonly findRow?: FindRow | undefined
}

interface Pending extends RequestOptions {
  readonly resolve: (payload: Uint8Array) => void
  readonly reject: (error: SandboxDied) => void
  readonly patience: Patience
  questions: number
}

const CHECK_MS = 25

/** One Python child process: handles one request at a time, and is ended if it does not answer. */
export class Sandbox {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #reader = new FrameReader<unknown>()
  #pending: Pending | undefined
  #timer: NodeJS.Timeout | undefined
  #stderr = ''
  #ended: SandboxDied | undefined
  readonly #exited: Promise<void>

  /** `snapshot`: descriptor of an open file, or `undefined` if the child is to create one. */
  constructor(snapshot?: number) {
    this.#child = spawn(process.execPath, childArguments(), {
      env: {},
      cwd: pyodideFolder(),
      stdio: ['pipe', 'pipe', 'pipe', ...(snapshot === undefined ? [] : [snapshot])],
      // A separate process group: Ctrl-C in a terminal is for the engine; to a child, SIGINT means that a rule does not end.
      detached: true,
    }) as ChildProcessByStdio<Writable, Readable, Readable>
    this.#child.stdout.on('data', (chunk: Buffer) => this.#receive(chunk))
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-2000)
    })
    // A failed write means that the child has ended, which is handled below.
    this.#child.stdin.on('error', () => {})
    this.#child.on('error', (error) => this.#end('crash', undefined, `the Python child cannot be started: ${error.message}`))
    this.#exited = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        this.#end(
          'crash',
          undefined,
          `the Python child ended (${signal ?? `exit code ${code}`})${this.#stderr ? `: ${this.#stderr}` : ''}`,
        )
        resolve()
      })
      this.#child.on('error', () => resolve())
    })
  }

  get alive(): boolean {
    return this.#ended === undefined
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /**
   * Sends frames of which the last is answered. `limitMs`: CPU time limit for one call inside; 0 = no limit.
   * Rejects with `SandboxDied`.
   */
  request(
    frames: readonly (readonly [Request, Uint8Array])[],
    limitMs: number,
    options: RequestOptions = {},
  ): Promise<Uint8Array> {
    if (this.#ended) return Promise.reject(this.#ended)
    if (this.#pending) throw new Error('a Python child takes one request at a time')
    return new Promise((resolve, reject) => {
      const patience = new Patience(limitMs, childMeter(this.#child.pid))
      this.#pending = { ...options, resolve, reject, patience, questions: 0 }
      this.#timer = limitMs > 0 ? setInterval(() => this.#check(), CHECK_MS) : undefined
      // In one write: each is a system call here, and wakes the child.
      this.#child.stdin.cork()
      for (const [header, payload] of frames) this.#send(header, payload)
      this.#child.stdin.uncork()
    })
  }

  #send(header: Request, payload: Uint8Array): void {
    const [prefix, body] = encodeFrame(header, payload)
    this.#child.stdin.write(prefix)
    if (body.length > 0) this.#child.stdin.write(body)
  }

  /** Ends the process and waits for its end. */
  async close(): Promise<void> {
    this.#end('crash', undefined, 'the Python child was closed')
    await this.#exited
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.push(chunk)) this.#take(frame)
    } catch (error) {
      this.#end('crash', this.#pending?.patience.mark, `the Python child wrote a malformed frame: ${messageOf(error)}`)
    }
  }

  #take({ header, payload }: Frame<unknown>): void {
    if (!isReply(header)) throw new Error('its header is not that of a reply')
    const pending = this.#pending
    if (!pending) return
    const { patience } = pending
    if (header.kind === 'died') {
      // It stopped as requested, but the signal hit another call.
      const isOther = patience.isInterrupted && !isSameCall(header.mark, patience.mark ?? 0)
      const message = header.how === 'timeout' ? patience.tooLong : header.message
      this.#end(header.how, isOther ? undefined : header.mark, message, header.isReading)
    } else if (header.kind === 'beat') patience.hear(header)
    else if (header.kind === 'lookup') {
      if (++pending.questions > MAX_QUESTIONS) throw new Error(`it asked for more than ${MAX_QUESTIONS} rows`)
      this.#send({ kind: 'row' }, answerOf(payload, header.mark, pending.findRow))
    } else {
      this.#finish()
      pending.resolve(payload)
    }
  }

  /** A call that does not end by itself is ended together with the child, which reports the call first if it still can. */
  #check(): void {
    const pending = this.#pending
    if (!pending) return
    const verdict = pending.patience.check()
    if (verdict === 'slow') pending.onSlow?.()
    else if (verdict === 'stop') this.#child.kill('SIGINT')
    else if (verdict === 'end') this.#end('timeout', pending.patience.mark, `${pending.patience.tooLong} and did not stop`)
  }

  #finish(): void {
    clearInterval(this.#timer)
    this.#pending = undefined
  }

  #end(how: 'timeout' | 'crash', mark: number | undefined, message: string, isReading = false): void {
    this.#ended ??= new SandboxDied(
      how,
      mark ?? (this.#pending?.careful ? this.#pending.patience.mark : undefined),
      message,
      isReading,
    )
    this.#child.kill('SIGKILL')
    const pending = this.#pending
    this.#finish()
    pending?.reject(this.#ended)
  }
}

/** No files but the interpreter's and the child's own code, no processes, no threads, no code from strings. */
function childArguments(): string[] {
  const entry = realpathSync(entryFile('stages/detect/python/interpreter/child'))
  const compiled = join(dirname(entry), '../../../..')
  const root = realpathSync(packageRoot())
  const permission = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'
  const readable = [`${pyodideFolder()}/`, `${dirname(entry)}/`, `${join(compiled, 'util')}/`, join(root, 'package.json')]
  return [
    '--no-warnings',
    permission,
    ...readable.map((path) => `--allow-fs-read=${path}`),
    '--disallow-code-generation-from-strings',
    '--max-old-space-size=256',
    '--expose-gc',
    entry,
    pyodideFolder(),
  ]
}
