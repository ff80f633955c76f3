import { createReadStream, createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Agent, type Dispatcher } from 'undici'
import { RetryLater } from '../../../util/errors.ts'
import { reasonOf } from '../../../util/http/reasons.ts'
import type { Settings } from '../engine.ts'

/** How a server is reached. */
export interface ServerAddress {
  readonly url: string
  /** Certificates (PEM) of authorities to trust; empty: the usual ones. */
  readonly trusted: { readonly ca?: string[] }
}

/** A user of the server. */
export interface Credentials {
  readonly user: string
  readonly password: string
}

/** One statement. */
export interface Ask {
  readonly sql: string
  /** Settings and other parameters of the request. */
  readonly params?: Settings
  /** A file with the rows that the statement inserts. */
  readonly file?: string
  readonly signal?: AbortSignal
}

/** Called at the end of each request: with `undefined` after an answer, otherwise with the reason why there was none. */
export type OnAnswer = (why: string | undefined) => void

const CONNECT_TIMEOUT_MS = 10_000
/** Deletions and changes of types rewrite whole tables before they are answered. */
const ANSWER_TIMEOUT_MS = 6 * 60 * 60_000
/** After the first bytes of an answer, the rest is there: the server sends an answer when it is complete. */
const SILENCE_TIMEOUT_MS = 120_000
/** Codes of a server that does not let us in: unknown user, wrong password. */
const SIGN_IN = new Set([192, 193, 194, 516])
/** Codes of a server that cannot reach another one of its cluster, or lost it on the way. */
const SHARD_AWAY = new Set([209, 210, 279])
const MAX_SHOWN = 300

/** Runs statements on a ClickHouse server over HTTP. */
export class ServerClient {
  readonly #agent: Agent
  readonly #url: string
  readonly #onAnswer: OnAnswer

  constructor({ url, trusted }: ServerAddress, onAnswer: OnAnswer = () => {}) {
    this.#url = url.replace(/\/+$/, '')
    this.#onAnswer = onAnswer
    this.#agent = new Agent({
      connect: { timeout: CONNECT_TIMEOUT_MS, ...trusted },
      headersTimeout: ANSWER_TIMEOUT_MS,
      bodyTimeout: SILENCE_TIMEOUT_MS,
    })
  }

  /** The server's address, as messages show it. */
  get url(): string {
    return this.#url
  }

  /**
   * Runs a statement and returns its answer's text. Throws the server's error, with its code, and `RetryLater` if the server cannot be
   * reached, ended the connection, or does not let the user in; the statement may have run then.
   */
  text(as: Credentials, ask: Ask): Promise<string> {
    return this.#request(as, ask, (body) => body.text())
  }

  /** Runs a statement and writes its answer to a file. Throws as `text` does. */
  async toFile(as: Credentials, ask: Ask, path: string): Promise<void> {
    await this.#request(as, ask, (body) => pipeline(body, createWriteStream(path)))
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #request<T>(as: Credentials, ask: Ask, read: (body: Dispatcher.ResponseData['body']) => Promise<T>): Promise<T> {
    // With its answer complete before the first byte, a statement that fails halfway is an error and not a short answer.
    const params = { wait_end_of_query: 1, ...ask.params }
    const query = new URLSearchParams(Object.entries(params).map(([name, value]): [string, string] => [name, String(value)]))
    try {
      const answer = await this.#agent.request({
        origin: new URL(this.#url).origin,
        path: `${new URL(this.#url).pathname}?${query}`,
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(`${as.user}:${as.password}`).toString('base64')}`,
          'content-type': 'application/octet-stream',
        },
        body: ask.file === undefined ? ask.sql : Readable.from(bodyOf(ask.sql, ask.file)),
        ...(ask.signal && { signal: ask.signal }),
      })
      if (answer.statusCode !== 200) throw this.#failure(as, answer.statusCode, await answer.body.text())
      const result = await read(answer.body)
      this.#onAnswer(undefined)
      return result
    } catch (error) {
      if (error instanceof ServerError || error instanceof ShardAway) this.#onAnswer(undefined)
      if (error instanceof ServerError || error instanceof ShardAway || (error as NodeJS.ErrnoException).syscall === 'open')
        throw error
      if (ask.signal?.aborted) throw new RetryLater('the request was ended')
      const known = error instanceof RetryLater ? error : this.#unreachable(error)
      this.#onAnswer(known.message)
      throw known
    }
  }

  #failure(as: Credentials, status: number, text: string): Error {
    const code = Number(/^Code: (\d+)\./.exec(text)?.[1] ?? 0)
    if (SIGN_IN.has(code))
      return new SignInRefused(
        `the ClickHouse server at ${this.#url} does not let the user '${as.user}' in: correct the user and its password in the lake block of caracal.yml or on the server (\`caracal lake init\` makes the reader)`,
      )
    if (SHARD_AWAY.has(code))
      return new ShardAway(
        `a shard of the cluster does not answer the server at ${this.#url}: ${text.trim().slice(0, MAX_SHOWN)}`,
      )
    if (code > 0) return new ServerError(text.trim())
    const said = text.trim().slice(0, MAX_SHOWN)
    return new RetryLater(
      `${this.#url} answered ${status}${said && `: ${said}`}; lake.url has to be the HTTP interface of ClickHouse`,
    )
  }

  #unreachable(error: unknown): RetryLater {
    return new RetryLater(`the ClickHouse server at ${this.#url} does not answer: ${reasonOf(error)}`, undefined, {
      cause: error,
    })
  }
}

/** The server does not know the user, or not with this password. */
export class SignInRefused extends RetryLater {}

/** The server answers, but a shard does not. */
class ShardAway extends RetryLater {}

/** An error that the server reports. Its message begins with the code. */
export class ServerError extends Error {}

/** What the server reads: the statement, then the rows. */
async function* bodyOf(sql: string, file: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${sql}\n`)
  yield* createReadStream(file, { highWaterMark: 256 * 1024 })
}
