import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BatchSource, CursorDeps } from '../../src/stages/source/source.ts'
import { createHttp, type Http } from '../../src/util/http/http.ts'
import { S3Store } from './s3-store.ts'
import { TestServer } from './servers.ts'

/** A bucket on a test server, and the sources that read it. */
export class TestBucket {
  readonly server: TestServer
  readonly store: S3Store
  nowMs = 1_710_288_000_000
  readonly #http: Http
  readonly #folder = mkdtempSync(join(tmpdir(), 'caracal-bucket-'))
  readonly #opened: BatchSource[] = []

  private constructor(server: TestServer) {
    this.server = server
    this.store = new S3Store(server, 'logs')
    this.#http = createHttp({ proxy: { https: undefined, http: undefined, except: [] }, allowPrivate: [] })
  }

  static async create(): Promise<TestBucket> {
    return new TestBucket(await new TestServer().listen())
  }

  /** What a source needs to read it. */
  get config() {
    return {
      bucket: 'logs',
      endpoint: this.server.url,
      poll_ms: 100,
      auth: { access_key_id: 'AKIDTEST', secret_access_key: { env: 'KEY' } },
    }
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
          if (query.has('list-type')) firstPrefix ??= prefix
          if (query.has('list-type') && !query.has('continuation-token') && firstPrefix === prefix) lists++
          onChange()
          return this.#http.configured(request)
        },
        secret: () => this.store.credentials.secretAccessKey,
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
