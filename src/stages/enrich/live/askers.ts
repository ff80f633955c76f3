import { readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { messageOf } from '../../../util/errors.ts'
import type { Send } from '../../../util/http/send.ts'
import type { ApiKeys } from '../api-keys.ts'
import { definitionKey, type TableDefinition } from '../definition.ts'
import { isForeign } from '../file.ts'
import type { KeeperClock } from '../keeper-types.ts'
import { AnswerFile } from './answer-file.ts'
import { Asker } from './asker.ts'
import type { LiveStatus } from './live-status.ts'
import type { Missed } from './missed-addresses.ts'
import { answersPath, waitingPath } from './paths.ts'
import { serviceOf } from './services/index.ts'

export interface AskersOptions {
  readonly dataFolder: string
  readonly send: Send
  readonly keys: ApiKeys
  readonly clock: KeeperClock
  /** Puts a table's stored answers in force. */
  readonly refresh: (table: string) => Promise<unknown>
  readonly onError: (error: unknown) => void
}

/** New answers come into force together, this often at most; a table that takes longer to rebuild, less often. */
const REFRESH_MS = 500
/** The time between two rebuilds as a multiple of what the last one took. */
const REFRESH_SHARE = 20
const SAVE_WAITING_MS = 5000

interface Entry {
  readonly key: string
  readonly asker: Asker
  cancelRefresh: (() => void) | undefined
  lastRefreshMs: number
  /** The waiting addresses as stored. */
  saved: string
}

/** Asks for every live table. */
export class Askers {
  readonly #options: AskersOptions
  readonly #entries = new Map<string, Entry>()
  readonly #busy = new Set<Promise<void>>()
  #cancelSave: (() => void) | undefined
  #isStopped = false

  constructor(options: AskersOptions) {
    this.#options = options
  }

  /** Replaces the set of tables; those whose definition is unchanged continue. */
  async update(definitions: readonly TableDefinition[]): Promise<void> {
    const wanted = new Map(definitions.filter(({ provider }) => provider?.type === 'live').map((one) => [one.name, one]))
    for (const [name, entry] of this.#entries) {
      const definition = wanted.get(name)
      if (!definition || definitionKey(definition) !== entry.key) await this.#end(name, entry)
    }
    for (const [name, definition] of wanted) if (!this.#entries.has(name)) await this.#begin(name, definition)
    if (this.#entries.size > 0 && !this.#cancelSave && !this.#isStopped) this.#saveLater()
  }

  /** Addresses that events contain and a table lacks. */
  missed(missed: readonly Missed[]): void {
    for (const { table, addresses, passedOver } of missed) this.#entries.get(table)?.asker.missed(addresses, passedOver)
  }

  /** `undefined` for a table that is not live. */
  status(table: string): LiveStatus | undefined {
    return this.#entries.get(table)?.asker.status()
  }

  /** Ends a pause that failures have caused. */
  retry(table: string): void {
    this.#entries.get(table)?.asker.retry()
  }

  /** Resolves when nothing is in progress: no request, no rebuild of a table. */
  async settled(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ asker }) => asker.settled()))
    await Promise.all(this.#busy)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancelSave?.()
    for (const [name, entry] of this.#entries) await this.#end(name, entry)
    await Promise.all(this.#busy)
  }

  async #begin(name: string, definition: TableDefinition): Promise<void> {
    const { provider } = definition
    if (provider?.type !== 'live') return
    const { dataFolder, send, keys, clock } = this.#options
    const service = serviceOf(provider.service)
    const file = await AnswerFile.open(answersPath(dataFolder, name), service.type, clock.now())
    const saved = await readFile(waitingPath(dataFolder, name), 'utf8').catch(() => '')
    // The addresses in events are not for every server that content from others names: the operator lists it in the hosts of a key.
    const isUnknown = provider.url !== undefined && (await isForeign(dirname(definition.file), dataFolder))
    const asker = new Asker({
      service,
      base: (provider.url ?? service.url).replace(/\/+$/, ''),
      key: provider.key ?? (service.needsKey || isUnknown ? service.type : undefined),
      keys,
      limits: { perMinute: provider.per_minute ?? service.perMinute, perDay: provider.per_day ?? service.perDay },
      ttlMs: provider.ttl_hours * 3_600_000,
      negativeTtlMs: provider.negative_ttl_hours * 3_600_000,
      maxWaiting: provider.max_waiting,
      file,
      send,
      clock,
      onRows: () => this.#refreshSoon(name),
      waiting: saved.split('\n').filter(Boolean),
    })
    this.#entries.set(name, { key: definitionKey(definition), asker, cancelRefresh: undefined, lastRefreshMs: 0, saved })
    await asker.start()
  }

  async #end(name: string, entry: Entry): Promise<void> {
    this.#entries.delete(name)
    entry.cancelRefresh?.()
    await entry.asker.stop()
    await this.#save(name, entry)
  }

  #refreshSoon(name: string): void {
    const entry = this.#entries.get(name)
    if (!entry || entry.cancelRefresh || this.#isStopped) return
    const delay = Math.max(REFRESH_MS, entry.lastRefreshMs * REFRESH_SHARE)
    entry.cancelRefresh = this.#options.clock.after(delay, () => this.#track(this.#refresh(name, entry)))
  }

  async #refresh(name: string, entry: Entry): Promise<void> {
    entry.cancelRefresh = undefined
    const start = performance.now()
    await this.#options.refresh(name).catch(this.#options.onError)
    entry.lastRefreshMs = performance.now() - start
  }

  #saveLater(): void {
    this.#cancelSave = this.#options.clock.after(SAVE_WAITING_MS, () => {
      this.#cancelSave = undefined
      if (this.#entries.size === 0 || this.#isStopped) return
      const saving = [...this.#entries].map(([name, entry]) => this.#save(name, entry))
      this.#track(
        Promise.all(saving).then(() => {
          if (!this.#isStopped) this.#saveLater()
        }),
      )
    })
  }

  /** Stores the waiting addresses, if they have changed: an address may occur only once. */
  async #save(name: string, entry: Entry): Promise<void> {
    const text = entry.asker.waiting().join('\n')
    if (text === entry.saved) return
    const path = waitingPath(this.#options.dataFolder, name)
    try {
      await writeFile(`${path}.tmp`, text, { mode: 0o600 })
      await rename(`${path}.tmp`, path)
      entry.saved = text
    } catch (error) {
      this.#options.onError(new Error(`the waiting addresses of table ${name} cannot be stored: ${messageOf(error)}`))
    }
  }

  #track(work: Promise<void>): void {
    const done = work.finally(() => this.#busy.delete(done))
    this.#busy.add(done)
  }
}
