import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { CaracalError, messageOf } from '../util/errors.ts'
import { pinnedFetch } from './pinned-fetch.ts'

/** The running server refused a call, cannot be reached, or returned something unintelligible. */
export class CallFailed extends CaracalError {
  /** Nothing runs here that could be called. */
  readonly isNotRunning: boolean

  constructor(
    message: string,
    {
      code = 'failed',
      isNotRunning = false,
      cause,
    }: { readonly code?: string; readonly isNotRunning?: boolean; readonly cause?: unknown } = {},
  ) {
    super(code, message, { cause })
    this.isNotRunning = isNotRunning
  }
}

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly body?: object
  readonly accept?: string
  readonly signal?: AbortSignal
}

/** Calls the API of the server for a given configuration. */
export class Client {
  readonly #base: string
  readonly #dataDir: string
  readonly #certificate: string | undefined

  constructor({ listen, data_dir, tls }: Config) {
    this.#base = `${tls ? 'https' : 'http'}://${reachable(listen)}`
    this.#dataDir = data_dir
    this.#certificate = tls?.cert.file
  }

  /** A call's response as JSON. Throws `CallFailed` with the server's message. */
  async json<T>(path: string, options: CallOptions = {}): Promise<T> {
    return (await (await this.call(path, options)).json()) as T
  }

  /** Every result of a list, page by page. Throws `CallFailed` with the server's message. */
  async all<T>(path: string): Promise<T[]> {
    const results: T[] = []
    let cursor: string | null = null
    do {
      const more = cursor === null ? '' : `${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`
      const page: { results: T[]; next: string | null } = await this.json(path + more)
      results.push(...page.results)
      cursor = page.next
    } while (cursor !== null)
    return results
  }

  /** The response of a successful call. Throws `CallFailed` with the server's message. */
  async call(path: string, { method = 'GET', body, accept = 'application/json', signal }: CallOptions = {}): Promise<Response> {
    const headers = {
      authorization: `Bearer ${this.#token()}`,
      accept,
      ...(body && { 'content-type': 'application/json' }),
    }
    let response: Response
    try {
      const send = this.#certificate === undefined ? fetch : await pinnedFetch(this.#certificate)
      response = await send(`${this.#base}${path}`, {
        method,
        headers,
        redirect: 'error',
        ...(body && { body: JSON.stringify(body) }),
        ...(signal && { signal }),
      })
    } catch (error) {
      if (signal?.aborted) throw error
      throw this.#unreachable(error)
    }
    if (!response.ok) throw await this.#refusal(response)
    return response
  }

  #token(): string {
    const file = join(this.#dataDir, 'token')
    try {
      return readFileSync(file, 'utf8').trim()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        throw new CallFailed(`the token cannot be read: ${messageOf(error)}`, { cause: error })
      }
      const message = `Caracal has not run with the data folder ${this.#dataDir}: start it with \`npm start\`, or specify the folder of the running one with --data-dir or --config`
      throw new CallFailed(message, { isNotRunning: true, cause: error })
    }
  }

  #unreachable(error: unknown): CallFailed {
    const cause = error instanceof Error && error.cause instanceof Error ? (error.cause as NodeJS.ErrnoException) : undefined
    const message =
      cause?.code === 'ECONNREFUSED'
        ? `Caracal is not running here: nothing listens on ${this.#base}. Start it with \`npm start\`, or specify where it listens with --listen or --config`
        : `${this.#base} cannot be reached: ${cause?.message ?? messageOf(error)}`
    return new CallFailed(message, { isNotRunning: cause?.code === 'ECONNREFUSED', cause: error })
  }

  async #refusal(response: Response): Promise<CallFailed> {
    const text = await response.text()
    const { detail, code } = readProblem(text)
    if (response.status === 401) {
      const advice = `the server at ${this.#base} does not accept the token in ${this.#dataDir}: it runs with another data folder; specify it with --data-dir or --config`
      return new CallFailed(advice, { code })
    }
    return new CallFailed(detail ?? `${this.#base} answered ${response.status}`, { code })
  }
}

function readProblem(text: string): { readonly detail: string | undefined; readonly code: string } {
  try {
    const { detail, code } = JSON.parse(text) as { detail?: unknown; code?: unknown }
    return { detail: typeof detail === 'string' ? detail : undefined, code: typeof code === 'string' ? code : 'failed' }
  } catch {
    return { detail: undefined, code: 'failed' }
  }
}

/** A server that listens on all addresses is reached on the loopback address. */
function reachable(listen: string): string {
  return listen.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:')
}
