import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { entryFile, packageRoot } from '../../../util/entry.ts'
import { encodeFrame, type Frame, FrameReader } from '../../../util/frames.ts'
import type { Reply, Request } from './protocol.ts'
import { pyodideFolder } from './sources.ts'

/** The child ended, or had to be ended, before it answered. */
export class SandboxDied extends Error {
  /** `timeout`: it was ended because a call did not come back. `crash`: it ended by itself. */
  readonly how: 'timeout' | 'crash'
  /** The last mark that was heard of; reliable when the child could still speak or was in careful mode. */
  readonly mark: number | undefined

  constructor(how: 'timeout' | 'crash', mark: number | undefined, message: string) {
    super(message)
    this.how = how
    this.mark = mark
  }
}

interface Pending {
  readonly resolve: (payload: Uint8Array) => void
  readonly reject: (error: SandboxDied) => void
  readonly limitMs: number
  readonly careful: boolean
  /** The last mark heard and since when it has not changed. */
  mark: number | undefined
  since: number
  /** What the child had worked when the call reached its limit, in ms of a processor. */
  cpuAtLimit?: number | undefined
}

/** A call that has worked so long beyond its limit has been told to stop and has not. */
const OVERTIME_MS = 400
/** One that does not work, or not for want of a processor, may outlive its limit by this much and the limit again. */
const GRACE_MS = 1500
const CHECK_MS = 100

/** One Python child process: one request at a time, ended when it does not come back. */
export class Sandbox {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #reader = new FrameReader<Reply>()
  #pending: Pending | undefined
  #timer: NodeJS.Timeout | undefined
  #stderr = ''
  #ended: SandboxDied | undefined
  readonly #exited: Promise<void>

  constructor() {
    this.#child = spawn(process.execPath, childArguments(), { env: {}, cwd: pyodideFolder(), stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child.stdout.on('data', (chunk: Buffer) => this.#receive(chunk))
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-2000)
    })
    // A write to a child that is gone shows as its end, below.
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
   * Sends frames of which the last is answered. `limitMs`: how long one call inside may take; 0 = no limit.
   * Rejects with `SandboxDied`.
   */
  request(frames: readonly (readonly [Request, Uint8Array])[], limitMs: number, careful = false): Promise<Uint8Array> {
    if (this.#ended) return Promise.reject(this.#ended)
    if (this.#pending) throw new Error('a Python child takes one request at a time')
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject, limitMs, careful, mark: undefined, since: performance.now() }
      this.#timer = limitMs > 0 ? setInterval(() => this.#check(), CHECK_MS) : undefined
      for (const [header, payload] of frames) {
        const [prefix, body] = encodeFrame(header, payload)
        this.#child.stdin.write(prefix)
        if (body.length > 0) this.#child.stdin.write(body)
      }
    })
  }

  /** Resolves when the child has read what was sent to it, or is gone. */
  taken(): Promise<void> {
    return new Promise((resolve) => this.#child.stdin.write('', () => resolve()))
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
      this.#end('crash', this.#pending?.mark, `the Python child wrote something that is no frame: ${String(error)}`)
    }
  }

  #take({ header, payload }: Frame<Reply>): void {
    const pending = this.#pending
    if (!pending) return
    if (header.kind === 'died') this.#end('crash', header.mark, header.message)
    else if (header.kind === 'beat') {
      if (pending.mark !== header.mark) {
        pending.since = performance.now()
        pending.cpuAtLimit = undefined
      }
      pending.mark = header.mark
    } else {
      this.#finish()
      pending.resolve(payload)
    }
  }

  /** No new mark for the limit and the grace: the call has swallowed its interruption, or is in code that cannot be interrupted. */
  #check(): void {
    const pending = this.#pending
    if (!pending) return
    const silent = performance.now() - pending.since
    if (silent < pending.limitMs) return
    // Clock time alone would end the children of a machine that is too busy to run them.
    const cpu = cpuMs(this.#child.pid)
    pending.cpuAtLimit ??= cpu
    const worked = cpu === undefined || pending.cpuAtLimit === undefined ? 0 : cpu - pending.cpuAtLimit
    const isCall = pending.mark !== undefined && pending.mark !== 0
    if (!(isCall && worked >= OVERTIME_MS) && silent < 2 * pending.limitMs + GRACE_MS) return
    this.#end('timeout', pending.mark, `a call did not come back within ${Math.round(silent)} ms`)
  }

  #finish(): void {
    clearInterval(this.#timer)
    this.#pending = undefined
  }

  #end(how: 'timeout' | 'crash', mark: number | undefined, message: string): void {
    this.#ended ??= new SandboxDied(how, mark ?? (this.#pending?.careful ? this.#pending.mark : undefined), message)
    this.#child.kill('SIGKILL')
    const pending = this.#pending
    this.#finish()
    pending?.reject(this.#ended)
  }
}

/** Milliseconds that a process has worked, or `undefined` where the system does not say (only Linux does, in hundredths of a second). */
function cpuMs(pid: number | undefined): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return undefined
  }
}

/** No files but the interpreter's and the child's own code, no processes, no threads, no code from strings. */
function childArguments(): string[] {
  const entry = realpathSync(entryFile('stages/detect/python/child'))
  const compiled = join(dirname(entry), '../../..')
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
