import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApiKeys, KeyError } from '../../src/stages/enrich/api-keys.ts'
import { defineTable, type TableDefinition } from '../../src/stages/enrich/definition.ts'
import { createProvider } from '../../src/stages/enrich/index.ts'
import type { KeeperClock } from '../../src/stages/enrich/keeper-types.ts'
import { Askers } from '../../src/stages/enrich/live/askers.ts'
import { createHttp } from '../../src/util/http/http.ts'
import type { Send } from '../../src/util/http/send.ts'
import { ManualClock } from './manual-clock.ts'
import { type Received, TestServer } from './servers.ts'
import { RESPONSES, type Response } from './service-answers.ts'

export const TABLE = 'verdicts'
const START = Date.parse('2026-11-29T10:00:00Z')

/** A server that answers as a service does, the data folder of a live table that asks it, and a clock that is moved by hand. */
export class ServiceWorld {
  readonly server = new TestServer()
  readonly folder = mkdtempSync(join(tmpdir(), 'caracal-live-'))
  readonly manual = new ManualClock()
  readonly http = createHttp({ proxy: { https: undefined, http: undefined, except: [] }, allowPrivate: ['127.0.0.0/8'] })
  /** When which address was asked for. */
  readonly asked: { readonly address: string; readonly ms: number }[] = []
  isBad: (address: string) => boolean = () => true
  /** Answers instead of the service, unless it is `undefined`. */
  instead: (received: Received, address: string) => (Response & { readonly headers?: Record<string, string> }) | undefined = () =>
    undefined
  secret: string | undefined = 's3cr3t'
  refreshes = 0
  service = 'abuseipdb'
  config: object = {}
  askers!: Askers

  readonly clock: KeeperClock = {
    now: () => START + this.manual.now(),
    after: (ms, run) => this.manual.after(ms, run),
  }

  get nowMs(): number {
    return this.clock.now()
  }

  async open(): Promise<this> {
    await this.server.listen()
    this.server.answer = (response, received) => {
      const { addressesOf, answer } = RESPONSES[this.service]!
      const addresses = addressesOf(received)
      const { status, body, headers } = {
        headers: {},
        ...(this.instead(received, addresses[0]!) ?? answer(addresses, this.isBad)),
      }
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
    }
    await this.start()
    return this
  }

  get definition(): TableDefinition {
    const yaml = {
      AnalysisType: 'lookup_table',
      LookupName: TABLE,
      Provider: { type: 'live', service: this.service, url: this.server.url, per_minute: 60, per_day: 1000, ...this.config },
      LogTypeMap: { PrimaryKey: 'ip' },
    }
    return defineTable(yaml, { file: join(this.folder, 'verdicts.yml') })
  }

  /** As after a start; what ran before continues to exist, as it does in the file when a process is killed. */
  async start(): Promise<void> {
    const keys: ApiKeys = () => {
      if (this.secret === undefined) throw new KeyError("table needs the key 'abuseipdb'")
      return { user: undefined, secret: this.secret }
    }
    this.askers = new Askers({
      dataFolder: this.folder,
      send: this.#send,
      keys,
      clock: this.clock,
      refresh: async () => this.refreshes++,
      onError: (error) => {
        throw error
      },
    })
    await this.askers.update([this.definition])
  }

  missed(...addresses: string[]): void {
    this.askers.missed([{ table: TABLE, addresses, passedOver: 0 }])
  }

  get status() {
    return this.askers.status(TABLE)!
  }

  readonly #send: Send = (request) => {
    const { addressesOf } = RESPONSES[this.service]!
    for (const address of addressesOf({ url: String(request.url), body: String(request.body ?? '') }))
      this.asked.push({ address, ms: this.nowMs })
    return this.http.fromContent(request)
  }

  /** Moves the clock and waits for everything that happens until then. */
  async advance(ms: number): Promise<void> {
    await this.askers.settled()
    await this.manual.advance(ms)
    await this.askers.settled()
  }

  /** The rows that the provider composes now. */
  async rows(): Promise<readonly Record<string, unknown>[]> {
    const deps = { send: this.http.fromContent, keys: () => ({ user: undefined, secret: '' }), table: TABLE, folder: this.folder }
    const provider = createProvider(this.definition.provider!, { ...deps, dataFolder: this.folder })
    const fetched = await provider.refresh({}, new AbortController().signal)
    const lines = Buffer.from(fetched!.bytes).toString().split('\n').filter(Boolean)
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  async close(): Promise<void> {
    await this.askers.stop()
    await this.http.close()
    await this.server.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Different public addresses. */
export function addresses(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => `45.${((from + i) >> 16) & 255}.${((from + i) >> 8) & 255}.${(from + i) & 255}`)
}

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
