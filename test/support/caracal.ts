import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/util/entry.ts'

export { freePort } from '../../scripts/lib/free-port.mjs'

/** The real program in a separate process, as a user starts it. */
export class Caracal {
  readonly port: number
  readonly dataDir: string
  readonly #args: readonly string[]
  readonly #nodeArgs: readonly string[]
  readonly #cwd: string
  #child: ChildProcess | undefined
  output = ''

  constructor(options: {
    readonly port: number
    readonly dataDir: string
    readonly cwd: string
    readonly args: readonly string[]
    /** Options of Node itself. */
    readonly nodeArgs?: readonly string[]
  }) {
    this.port = options.port
    this.dataDir = options.dataDir
    this.#cwd = options.cwd
    this.#args = options.args
    this.#nodeArgs = options.nodeArgs ?? []
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts it and resolves when it answers; rejects with its output if it ends instead. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [...this.#nodeArgs, join(packageRoot(), 'bin/caracal.js'), 'up', ...this.#args], {
      cwd: this.#cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    child.stdout.on('data', (text: Buffer) => this.#keep(text))
    child.stderr.on('data', (text: Buffer) => this.#keep(text))
    const ended = new Promise<never>((_, reject) => {
      child.once('exit', (code, signal) =>
        reject(new Error(`caracal ended (${code ?? signal}) while it started:\n${this.output}`)),
      )
    })
    ended.catch(() => {})
    await Promise.race([ended, this.#answers()])
  }

  /** Resolves with the exit code, or the signal's name, when it has ended. */
  get ended(): Promise<number | string> {
    const child = this.#child!
    if (child.exitCode !== null || child.signalCode !== null)
      return Promise.resolve(child.exitCode ?? child.signalCode ?? 'unknown')
    return new Promise((resolve) => child.once('exit', (code, by) => resolve(code ?? by ?? 'unknown')))
  }

  /** Sends a signal and resolves with the exit code, or the signal's name. */
  end(signal: NodeJS.Signals): Promise<number | string> {
    const { ended } = this
    this.#child!.kill(signal)
    return ended
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const token = readFileSync(join(this.dataDir, 'token'), 'utf8').trim()
    return fetch(`http://127.0.0.1:${this.port}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...init.headers },
    })
  }

  /** The rows of a query, parsed; with the token of the data folder, or another one. */
  async query(sql: string, token?: string): Promise<unknown[][]> {
    const response = await this.fetch('/api/v1/query', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ sql }),
    })
    if (!response.ok) throw new Error(`query answered ${response.status}: ${await response.text()}`)
    const answer = (await response.json()) as { rows: unknown[][]; truncated: boolean }
    if (answer.truncated) throw new Error(`the answer was cut after ${answer.rows.length} rows: ${sql}`)
    return answer.rows
  }

  #keep(text: Buffer): void {
    this.output = (this.output + text.toString()).slice(-20_000)
  }

  async #answers(): Promise<void> {
    for (;;) {
      const response = await fetch(`http://127.0.0.1:${this.port}/healthz`).catch(() => undefined)
      if (response?.ok) return
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
  }
}
