import { messageOf } from '../../util/errors.ts'
import type { Trusted } from '../../util/http/http.ts'
import { pause } from '../../util/pause.ts'
import type { Makers } from '../makers/makers.ts'
import { ConnectionLost, type Dialled, dial, remoteMaker } from './dial.ts'

const LOOK_MS = 2000
const UNFIT_MS = 30_000

/** A node that judges for the active one. */
export interface WorkerNode {
  readonly name: string
  readonly url: string
}

export interface WorkerNodesDeps {
  readonly makers: Makers
  /** The workers that there are now, and the key that all nodes have; no key: none can be used yet. */
  readonly look: () => Promise<{ readonly key: string | undefined; readonly workers: readonly WorkerNode[] }>
  readonly trusted: Trusted
  /** The worker of that name cannot be used, in words; `undefined`: it can again. */
  readonly onTrouble: (name: string, message: string | undefined) => void
  readonly lookMs?: number
  readonly beatMs?: number
}

/** Keeps the active node connected with all workers, each of which runs as many makers as it has threads. */
export class WorkerNodes {
  readonly #deps: WorkerNodesDeps
  readonly #stopping = new AbortController()
  /** By worker: its connections. */
  readonly #connected = new Map<string, Set<Dialled>>()
  readonly #troubled = new Set<string>()
  #running: Promise<void> | undefined

  constructor(deps: WorkerNodesDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#running ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      // Without the state nothing changes.
      const { key, workers } = await this.#deps.look().catch(() => ({ key: undefined, workers: undefined }))
      if (workers)
        for (const name of this.#troubled) if (!workers.some((one) => one.name === name)) this.#trouble(name, undefined)
      await Promise.all((workers ?? []).map((worker) => this.#connect(worker, key)))
      await pause(this.#deps.lookMs ?? LOOK_MS, signal)
    }
  }

  /** Connects until all of the worker's threads are in use. */
  async #connect({ name, url }: WorkerNode, key: string | undefined): Promise<void> {
    const connected = this.#connected.get(name) ?? new Set()
    this.#connected.set(name, connected)
    const { trusted, beatMs } = this.#deps
    try {
      if (key === undefined)
        throw new Error('the key in the state cannot be read; if the password of the database has changed, restart this node')
      while (hasRoom(connected) && !this.#stopping.signal.aborted)
        this.#join({ name, url }, await dial({ url, key, trusted, ...(beatMs !== undefined && { beatMs }) }), connected)
    } catch (error) {
      this.#down({ name, url }, error)
    }
  }

  #join(worker: WorkerNode, { port, threads }: Dialled, connected: Set<Dialled>): void {
    const connection = { port, threads }
    connected.add(connection)
    const joined = this.#deps.makers
      .join(worker.name, (options, handlers) => remoteMaker(port, options, handlers))
      .then(
        () => this.#trouble(worker.name, undefined),
        (error) => {
          this.#down(worker, error)
          // What it cannot prepare now it can hardly prepare at once, and trying costs as much as a start.
          if (!(error instanceof ConnectionLost)) return pause(UNFIT_MS, this.#stopping.signal)
        },
      )
    void Promise.all([port.closed, joined]).then(() => connected.delete(connection))
  }

  #down({ name, url }: WorkerNode, error: unknown): void {
    if (this.#stopping.signal.aborted) return
    this.#trouble(name, `the worker '${name}' at ${url} cannot be used, so others do its part: ${messageOf(error)}`)
  }

  #trouble(name: string, message: string | undefined): void {
    if (message === undefined) this.#troubled.delete(name)
    else this.#troubled.add(name)
    this.#deps.onTrouble(name, message)
  }
}

function hasRoom(connected: ReadonlySet<Dialled>): boolean {
  return [...connected].every(({ threads }) => connected.size < threads)
}
