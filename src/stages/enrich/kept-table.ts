import { access, readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { messageOf } from '../../util/errors.ts'
import type { Send } from '../../util/http/send.ts'
import { type ApiKeys, KeyError } from './api-keys.ts'
import { unpack, versionOf } from './content.ts'
import { definitionKey, type TableDefinition } from './definition.ts'
import { MissingFile } from './file.ts'
import { createProvider, type ProviderConfig } from './index.ts'
import type {
  AcceptContent,
  ContentFileRef,
  KeeperClock,
  TableHealth,
  TableState,
  TableStatus,
  TableStatusStore,
  VersionInForce,
} from './keeper-types.ts'
import { sourceName } from './local-content.ts'
import type { Fetched, Provider } from './provider.ts'
import { type BuiltTable, TableError } from './table.ts'
import { hashOf, tableFolder } from './versions/files.ts'
import { dateOf, type VersionPeriod } from './versions/history.ts'
import { VersionStore } from './versions/version-store.ts'

export interface KeptTableOptions {
  readonly definition: TableDefinition
  /** `data/tables`. */
  readonly tablesFolder: string
  readonly dataFolder: string
  readonly store: TableStatusStore
  readonly accept: AcceptContent
  readonly changed: (change: VersionInForce) => Promise<void>
  readonly send: Send
  readonly keys: ApiKeys
  readonly clock: KeeperClock
  /** Versions of the table that an alert names. */
  readonly namedVersions: (table: string) => Promise<ReadonlySet<string>>
  /** Called when a version that is in force cannot be stored. */
  readonly onError: (error: unknown) => void
}

/** One table's content: what is in force, how it is refreshed, and how that went. Knows no timers. */
export class KeptTable {
  readonly definition: TableDefinition
  readonly #options: KeptTableOptions
  readonly #provider: Provider | undefined
  #versions: VersionStore | undefined
  readonly #source: string
  #state: TableState = {}
  /** What is in force, and whether a provider gave it (else it lies beside the definition). */
  #inForce: { readonly table: BuiltTable; readonly isFetched: boolean } | undefined
  #isMissing = false

  constructor(options: KeptTableOptions) {
    const { definition } = options
    this.#options = options
    this.definition = definition
    this.#source = versionOf(Buffer.from(JSON.stringify(definition.provider ?? null)))
    this.#provider = definition.provider && providerOf(definition.provider, options)
  }

  get hasProvider(): boolean {
    return this.#provider !== undefined
  }

  get failures(): number {
    return this.#state.failures ?? 0
  }

  get lastSuccessMs(): number | undefined {
    return this.#state.lastSuccessMs
  }

  /** Puts the last good content in force, or else what lies beside the definition. Never rejects because of content. */
  async start(): Promise<void> {
    const stored = this.#provider && (await this.#options.store.load(this.definition.name))
    if (stored?.source === this.#source) this.#state = stored
    this.#versions = await VersionStore.open(tableFolder(this.#options.tablesFolder, this.definition.name))
    if (await this.#loadKept()) return
    await this.#takeShipped()
  }

  /** Takes what lies beside the definition if it has changed since, unless a provider's content is in force. Never rejects because of content. */
  async reread(): Promise<void> {
    const { filename } = this.definition
    if (this.#inForce?.isFetched || filename === undefined) return
    const hash = await readFile(filename)
      .then((bytes) => unpack(bytes))
      .then(versionOf, () => undefined)
    if (hash !== undefined && this.#inForce?.table.version.endsWith(hash) && this.#state.lastError === undefined) return
    const { lastError, isRefused, failures, ...rest } = this.#state
    if ((await this.#takeShipped()) && lastError !== undefined) await this.#save(rest)
  }

  /** True when it is in force. */
  async #takeShipped(): Promise<boolean> {
    const { filename: path, contentDate: date } = this.definition
    if (path === undefined) return false
    try {
      const built = await this.#accept({ path, fileName: path, date })
      this.#inForce = { table: built, isFetched: false }
      await this.#keepShipped(path, built).catch(this.#options.onError)
      await this.#changed()
      return true
    } catch (error) {
      const message = messageOf(error)
      await this.#fail(message.includes(path) ? error : new TableError(`${path}: ${message}`, { cause: error }), true)
      return false
    }
  }

  /** Stores the shipped content that is in force, unless it already is. */
  async #keepShipped(path: string, built: BuiltTable): Promise<void> {
    const store = this.#store
    if (store.periods.at(-1)?.version === built.version) return
    const bytes = await readFile(path)
    const unpacked = await unpack(bytes)
    // The file has changed since: the next look at it stores what it is by then.
    if (versionOf(unpacked) !== hashOf(built.version)) return
    const candidate = await store.candidate(bytes, unpacked)
    await this.#keep(candidate, built, { origin: 'shipped', fileName: basename(path), bytes: unpacked.length })
  }

  /** Asks the provider; whatever happens is in `status()` afterwards. Never rejects because of content or network. */
  async refresh(signal: AbortSignal): Promise<void> {
    if (!this.#provider) return
    // Validators speak of what was fetched: they count only while that is in force.
    const validators = this.#inForce?.isFetched ? (this.#state.validators ?? {}) : {}
    let hasContent = false
    try {
      const fetched = await this.#provider.refresh(validators, signal)
      hasContent = fetched !== undefined
      if (fetched) await this.#take(fetched)
      else if (!this.#inForce?.isFetched)
        throw new TableError('the provider reports that the content is unchanged, although all of it was requested')
      await this.#succeed(fetched?.validators ?? validators)
    } catch (error) {
      if (!signal.aborted) await this.#fail(error, hasContent)
    }
  }

  status(nextRefreshMs: number | undefined): TableStatus {
    const { lastSuccessMs, lastFailureMs, lastError, isRefused = false } = this.#state
    const age = this.#ageMs()
    return {
      name: this.definition.name,
      provider: this.definition.provider?.type ?? basename(this.definition.filename ?? ''),
      health: this.#health(age),
      version: this.#inForce?.table.version,
      rows: this.#inForce?.table.rows ?? 0,
      skipped: this.#inForce?.table.skipped ?? 0,
      ageSeconds: age === undefined ? undefined : Math.max(0, Math.round(age / 1000)),
      lastSuccessMs,
      lastFailureMs,
      lastError,
      isRefused,
      nextRefreshMs,
      periodMinutes: this.definition.periodMinutes,
    }
  }

  async #loadKept(): Promise<boolean> {
    const { fileName, version } = this.#state
    if (version === undefined) return false
    const path = this.#store.pathOf(version)
    try {
      await access(path)
      const built = await this.#accept({ path, fileName, date: dateOf(version) })
      this.#inForce = { table: built, isFetched: true }
      if (this.#store.periods.at(-1)?.version !== built.version)
        await this.#keep(undefined, built, { origin: 'fetched', ...named(fileName) })
      await this.#changed()
      return true
    } catch (error) {
      await this.#fail(new TableError(`the stored content ${path} cannot be used: ${messageOf(error)}`, { cause: error }), true)
      return false
    }
  }

  async #take({ bytes, validators }: Fetched): Promise<void> {
    if (this.#inForce?.isFetched) refuseOlder(validators, this.#state.validators)
    const unpacked = await unpack(bytes, { max_bytes: this.definition.provider?.max_bytes })
    if (unpacked.length === 0) throw new TableError('the content is empty')
    const hash = versionOf(unpacked)
    if (this.#inForce?.isFetched && this.#inForce.table.version.endsWith(hash)) return
    const date = new Date(this.#options.clock.now()).toISOString().slice(0, 10)
    const fileName = sourceName(this.definition)
    const candidate = await this.#store.candidate(bytes, unpacked)
    try {
      const rowsBefore = this.#inForce?.isFetched ? this.#inForce.table.rows : undefined
      const table = await this.#accept({ path: candidate, fileName, date, rowsBefore })
      await this.#keep(candidate, table, { origin: 'fetched', ...named(fileName), bytes: unpacked.length })
      this.#inForce = { table, isFetched: true }
      // Before the state says that it is in force: a stop in between leads to the same change again.
      await this.#changed()
    } finally {
      await this.#store.drop(candidate)
    }
  }

  async #keep(
    candidate: string | undefined,
    { version, rows, skipped }: BuiltTable,
    about: Pick<VersionPeriod, 'origin' | 'fileName' | 'bytes'>,
  ): Promise<void> {
    const { name, keep } = this.definition
    await this.#store.keep(candidate, { version, sinceMs: this.#options.clock.now(), rows, skipped, ...about })
    await this.#store.prune(keep, () => this.#options.namedVersions(name))
  }

  get #store(): VersionStore {
    if (!this.#versions) throw new Error(`table '${this.definition.name}' has not started`)
    return this.#versions
  }

  #changed(): Promise<void> {
    const { definition } = this
    const { version } = this.#inForce!.table
    return this.#options.changed({ table: definition.name, definition: definitionKey(definition), version })
  }

  #accept(content: Omit<ContentFileRef, 'table' | 'definition'>): Promise<BuiltTable> {
    return this.#options.accept({ table: this.definition.name, definition: definitionKey(this.definition), ...content })
  }

  async #succeed(validators: Readonly<Record<string, string>>): Promise<void> {
    this.#isMissing = false
    const { version, rows, skipped } = this.#inForce!.table
    const fileName = sourceName(this.definition)
    const { lastFailureMs } = this.#state
    await this.#save({
      source: this.#source,
      version,
      rows,
      skipped,
      ...(fileName === undefined ? {} : { fileName }),
      validators,
      lastSuccessMs: this.#options.clock.now(),
      ...(lastFailureMs === undefined ? {} : { lastFailureMs }),
      failures: 0,
    })
  }

  /** `isRefused`: there was content, and it is what cannot be used. */
  async #fail(error: unknown, isRefused: boolean): Promise<void> {
    this.#isMissing = error instanceof MissingFile
    const lastError = messageOf(error).slice(0, 1000)
    await this.#save({
      ...this.#state,
      source: this.#source,
      lastFailureMs: this.#options.clock.now(),
      lastError,
      isRefused,
      // Not a failure of the provider: retrying before the operator adds the key would not help.
      failures: error instanceof KeyError ? 0 : this.failures + 1,
    })
  }

  async #save(state: TableState): Promise<void> {
    this.#state = state
    await this.#options.store.save(this.definition.name, state)
  }

  #ageMs(): number | undefined {
    if (!this.#inForce) return undefined
    const { contentDate } = this.definition
    const since = this.#inForce.isFetched ? this.#state.lastSuccessMs : contentDate && Date.parse(contentDate)
    return typeof since === 'number' ? this.#options.clock.now() - since : undefined
  }

  #health(age: number | undefined): TableHealth {
    if (!this.#inForce) return this.#isMissing || this.failures === 0 ? 'missing' : 'failing'
    if (!this.#provider) return 'static'
    // A fresh install is not at fault before its first refresh was due.
    const isFresh = this.#state.lastSuccessMs === undefined && this.failures === 0
    if (!isFresh && age !== undefined && age > this.definition.alarmMinutes * 60_000) return 'stale'
    return this.#inForce.isFetched ? 'ok' : 'shipped'
  }
}

/** Servers behind one name may differ by so much, milliseconds. */
const DAY_MS = 24 * 60 * 60_000

/** A list that was newer before is an old copy, whatever is in it. */
function refuseOlder(validators: Fetched['validators'], before: TableState['validators']): void {
  const [nowMs, beforeMs] = [validators, before].map((one) => Date.parse(one?.['last_modified'] ?? ''))
  if (nowMs! < beforeMs! - DAY_MS)
    throw new TableError(
      `the content was last modified on ${dayOf(nowMs!)}, the one in force on ${dayOf(beforeMs!)}: it is an old copy. If the list really went back, delete the table's folder under tables in the data folder`,
    )
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

function providerOf(config: ProviderConfig, { definition, dataFolder, send, keys }: KeptTableOptions): Provider {
  return createProvider(config, { send, keys, table: definition.name, folder: dirname(definition.file), dataFolder })
}

function named(fileName: string | undefined): { fileName?: string } {
  return fileName === undefined ? {} : { fileName }
}
