import type { BatchSource, CursorDeps } from '../../src/stages/source/source.ts'
import { createHttp, type Http } from '../../src/util/http/http.ts'
import { type Received, TestServer } from './servers.ts'

/** What the API of a test answers: a JSON value or a text. */
export interface ApiAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly text?: string
}

/** A request as the API's handler sees it. */
export interface ApiRequest extends Received {
  readonly path: string
  readonly query: URLSearchParams
}

/** The API of a service on a test server, and the sources that poll it. */
export class TestApi {
  readonly server: TestServer
  readonly requests: ApiRequest[] = []
  answer: (request: ApiRequest) => ApiAnswer = () => ({ json: [] })
  /** Whether a request is the first of a poll. Those that are refused do not count. */
  isFirst: (request: ApiRequest) => boolean = () => true
  nowMs = 1_710_288_000_000
  secret = 's3cr3t'
  readonly #http: Http
  readonly #opened: BatchSource[] = []
  #polls = 0
  #onPoll = () => {}

  private constructor(server: TestServer) {
    this.server = server
    this.#http = createHttp({ proxy: { https: undefined, http: undefined, except: [] }, allowPrivate: [] })
    server.answer = (response, received) => {
      const url = new URL(received.url, server.url)
      const request = { ...received, path: url.pathname, query: url.searchParams }
      this.requests.push(request)
      const { status = 200, headers = {}, json, text = JSON.stringify(json) } = this.answer(request)
      if (status === 200 && this.isFirst(request)) {
        this.#polls++
        this.#onPoll()
      }
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text)
    }
  }

  static async create(): Promise<TestApi> {
    return new TestApi(await new TestServer().listen())
  }

  /** Keys of a source that polls it. */
  get config() {
    return { url: `${this.server.url}/records`, poll_ms: 100 }
  }

  /** A source whose `next` returns `undefined` only when three more polls have begun without finding anything. */
  open(open: (deps: Omit<CursorDeps, 'cursors'>) => BatchSource): BatchSource {
    let wakes = 0
    let onChange = () => {}
    const source = open({
      wake: () => {
        wakes++
        onChange()
      },
      now: () => this.nowMs + performance.now(),
      maxRecordBytes: 1024 * 1024,
      outside: { send: (request) => this.#http.configured(request), secret: () => this.secret, folder: '' },
    })
    this.#opened.push(source)
    const next = async () => {
      for (const enough = this.#polls + 3; ; ) {
        const before = wakes
        const extent = await source.next()
        if (extent) return extent
        if (wakes === before && this.#polls >= enough) return undefined
        if (wakes !== before) continue
        await new Promise<void>((resolve) => {
          onChange = resolve
          this.#onPoll = resolve
        })
      }
    }
    return new Proxy(source, {
      get: (target, name) => {
        if (name === 'next') return next
        const value = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  async close(): Promise<void> {
    for (const source of this.#opened) await source.close()
    await this.#http.close()
    await this.server.close()
  }
}
