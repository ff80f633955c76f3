import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BatchSource, CursorDeps } from '../../src/stages/source/source.ts'
import { createHttp, type Http } from '../../src/util/http/http.ts'
import { S3Store, type StoredObject } from './s3-store.ts'
import { TestServer } from './servers.ts'

/** What a store answers with: status, code of the error, headers. */
type Refusal = readonly [status: number, code: string, headers?: Record<string, string>]

/** A store on a test server. */
export interface TestStore {
  readonly objects: Map<string, StoredObject>
  /** By key, or '' for lists. */
  readonly refusals: Map<string, Refusal>
  pageSize: number
  /** The store's own keys of a source that reads it. */
  readonly config: object
  /** The secret that the source's configuration refers to. */
  readonly secret: string
  /** `first` if a request lists a prefix from its beginning, `next` if it continues a list. */
  listed(query: URLSearchParams): 'first' | 'next' | undefined
}

/** A bucket on a test server, and the sources that read it. */
export class TestBucket<S extends TestStore = S3Store> {
  readonly server: TestServer
  readonly store: S
  nowMs = 1_710_288_000_000
  readonly #http: Http
  readonly #folder = mkdtempSync(join(tmpdir(), 'caracal-bucket-'))
  readonly #opened: BatchSource[] = []

  private constructor(server: TestServer, store: S) {
    this.server = server
    this.store = store
    this.#http = createHttp({ proxy: { https: undefined, http: undefined, except: [] }, allowPrivate: [] })
  }

  static async create(): Promise<TestBucket> {
    return TestBucket.with((server) => new S3Store(server, 'logs'))
  }

  static async with<S extends TestStore>(store: (server: TestServer) => S): Promise<TestBucket<S>> {
    const server = await new TestServer().listen()
    return new TestBucket(server, store(server))
  }

  /** What a source needs to read it. */
  get config() {
    return { endpoint: this.server.url, poll_ms: 100, ...this.store.config }
  }

  /** A source whose `next` returns `undefined` only when a whole list found nothing more. */
  watched(open: (deps: Omit<CursorDeps, 'cursors'>) => BatchSource): BatchSource {
    let wakes = 0
    /** How often all prefixes were listed, or are being listed. */
    let lists = 0
    let firstPrefix: string | null | undefined
    let onChange = () => {}
    const source = open({
      wake: () => {
        wakes++
        onChange()
      },
      now: () => this.nowMs + performance.now(),
      maxRecordBytes: 1024 * 1024,
      outside: {
        send: (request) => {
          const { searchParams: query } = new URL(request.url)
          const prefix = query.get('prefix')
          const listed = this.store.listed(query)
          if (listed) firstPrefix ??= prefix
          if (listed === 'first' && firstPrefix === prefix) lists++
          onChange()
          return this.#http.configured(request)
        },
        secret: () => this.store.secret,
        folder: join(this.#folder, String(this.#opened.length)),
      },
    })
    this.#opened.push(source)
    const next = async () => {
      for (;;) {
        const before = wakes
        const extent = await source.next()
        if (extent) return extent
        // What the first list found has been fetched when the second begins.
        const enough = lists + 2
        while (wakes === before && lists < enough) await new Promise<void>((resolve) => (onChange = resolve))
        if (wakes === before) return undefined
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
    rmSync(this.#folder, { recursive: true })
  }
}
