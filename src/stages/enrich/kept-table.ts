import { access, readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { messageOf } from '../../util/errors.ts'
import type { Send } from '../../util/http/send.ts'
import { type ApiKeys, KeyError } from './api-keys.ts'
import { unpack, versionOf } from './content.ts'
import { definitionKey, type TableDefinition } from './definition.ts'
import { createProvider, type ProviderConfig, providerDefinition } from './index.ts'
import type {
  AcceptContent,
  ContentFileRef,
  TableHealth,
  TableState,
  TableStatus,
  TableStatusStore,
  VersionInForce,
} from './keeper-types.ts'
import { shippedPath, sourceName } from './local-content.ts'
import { olderCopy } from './older-copy.ts'
import { compared, type NewOutcome, type RefreshOutcome, withOutcome } from './outcomes.ts'
import type { Fetched, Provider, RunQuery } from './provider.ts'
import { type BuiltTable, NoContentYet, RefusedAnswer, TableError } from './table.ts'
import type { DiffCounts } from './versions/diff.ts'
import { hashOf } from './versions/files.ts'
import { dateOf, type VersionPeriod } from './versions/history.ts'
import { TableVersions, type TableVersionsOptions } from './versions/table-versions.ts'

export interface KeptTableOptions extends TableVersionsOptions {
  readonly dataFolder: string
  readonly store: TableStatusStore
  readonly accept: AcceptContent
  readonly changed: (change: VersionInForce) => Promise<void>
  readonly send: Send
  readonly keys: ApiKeys
  readonly runQuery?: RunQuery | undefined
}

/** What has become of fetched content: nothing, if it is in force already; its period, unless it took the place of a brief one. */
type Taken = { readonly isSame: true } | { readonly isSame: false; readonly period: VersionPeriod | undefined }

const UNCHANGED: Taken = { isSame: true }

/** One table's content: what is in force, how it is refreshed, and how that went. Knows no timers. */
export class KeptTable {
  readonly definition: TableDefinition
  readonly #options: KeptTableOptions
  readonly #provider: Provider | undefined
  #versions: TableVersions | undefined
  readonly #source: string
  #state: TableState = {}
  /** What is in force, and whether a provider gave it (else it lies beside the definition). */
  #inForce: { readonly table: BuiltTable; readonly isFetched: boolean } | undefined
  #isMissing = false
  #afterMs: number | undefined
  /** Settles when versions have been compared. */
  #comparing: Promise<void> = Promise.resolve()

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

  /** How long the server asked to wait when the last refresh failed. */
  get afterMs(): number | undefined {
    return this.#afterMs
  }

  get lastSuccessMs(): number | undefined {
    return this.#state.lastSuccessMs
  }

  /**
   * Puts the last good content in force, or else what lies beside the definition, which `by` has written. Never rejects because of content.
   */
  async start(by?: string): Promise<void> {
    const stored = await this.#options.store.load(this.definition.name)
    if (stored && this.#provider && stored.source === this.#source) this.#state = stored
    else if (stored?.outcomes) this.#state = { outcomes: stored.outcomes }
    await this.#recordPending()
    this.#versions = await TableVersions.open(this.#options)
    if (await this.#loadKept()) return
    await this.#takeShipped(by)
  }

  /** Takes what lies beside the definition if it has changed since, unless a provider's content is in force. Never rejects because of content. */
  async reread(by?: string): Promise<void> {
    const { filename } = this.definition
    if (this.#inForce?.isFetched || filename === undefined) return
    const hash = await readFile(filename)
      .then((bytes) => unpack(bytes))
      .then(versionOf, () => undefined)
    if (hash !== undefined && this.#inForce?.table.version.endsWith(hash) && this.#state.lastError === undefined) return
    const isTaken = await this.#takeShipped(by)
    const { lastError, isRefused, failures, ...rest } = this.#state
    if (isTaken && lastError !== undefined) await this.#save(rest)
  }

  /** True when it is in force. */
  async #takeShipped(by: string | undefined): Promise<boolean> {
    const { contentDate: date } = this.definition
    const path = shippedPath(this.definition)
    if (path === undefined) return false
    try {
      const built = await this.#accept({ path, fileName: path, date })
      this.#inForce = { table: built, isFetched: false }
      const period = await this.#keepShipped(path, built, by)
      await this.#changed()
      if (period) await this.#save(this.#swapped(this.#state, period))
      return true
    } catch (error) {
      const message = messageOf(error)
      await this.#fail(message.includes(path) ? error : new TableError(`${path}: ${message}`, { cause: error }), true)
      return false
    }
  }

  /** Stores the shipped content that is in force, unless it already is. */
  async #keepShipped(path: string, built: BuiltTable, by: string | undefined): Promise<VersionPeriod | undefined> {
    const store = this.#kept
    if (store.periods.at(-1)?.version === built.version) return undefined
    try {
      const bytes = await readFile(path)
      const unpacked = await unpack(bytes)
      // The file has changed since: the next look at it stores what it is by then.
      if (versionOf(unpacked) !== hashOf(built.version)) return undefined
      const candidate = await store.candidate(unpacked)
      const about = { origin: 'shipped', fileName: basename(path), bytes: unpacked.length } as const
      return await store.keep(candidate, built, { ...about, ...(by !== undefined && { by }) })
    } catch (error) {
      this.#options.onError(error)
      return undefined
    }
  }

  /**
   * Asks the provider; whatever happens is in `status()` afterwards. `accept`: content may fail the table's checks. Never rejects because
   * of content or network.
   */
  async refresh({ accept = false }: { readonly accept?: boolean } = {}): Promise<void> {
    if (!this.#provider) return
    const { signal } = this.#options
    // Validators speak of what was fetched: they count only while that is in force.
    const validators = this.#inForce?.isFetched ? (this.#state.validators ?? {}) : {}
    let hasContent = false
    try {
      const fetched = await this.#provider.refresh(validators, signal)
      hasContent = fetched !== undefined
      const taken = fetched ? await this.#take(fetched, accept) : UNCHANGED
      if (!fetched && !this.#inForce?.isFetched)
        throw new TableError('the provider reports that the content is unchanged, although all of it was requested')
      await this.#succeed(fetched?.validators ?? validators, taken)
    } catch (error) {
      const isRefused = (hasContent && !(error instanceof NoContentYet)) || error instanceof RefusedAnswer
      if (!signal.aborted) await this.#fail(error, isRefused)
    }
  }

  status(nextRefreshMs: number | undefined): TableStatus {
    const { lastSuccessMs, lastFailureMs, lastError, isRefused = false } = this.#state
    const age = this.#ageMs()
    return {
      name: this.definition.name,
      provider: this.definition.provider?.type ?? basename(shippedPath(this.definition) ?? ''),
      health: this.#health(age),
      version: this.#inForce?.table.version,
      rows: this.#inForce?.table.rows ?? 0,
      skipped: this.#inForce?.table.skipped ?? 0,
      ageSeconds: age === undefined ? undefined : Math.max(0, Math.round(age / 1000)),
      lastSuccessMs,
      lastFailureMs,
      lastError,
      isRefused,
      failures: this.failures,
      nextRefreshMs,
      periodMinutes: this.definition.periodMinutes,
    }
  }

  async #loadKept(): Promise<boolean> {
    const { fileName, version } = this.#state
    if (version === undefined) return false
    const path = this.#kept.pathOf(version)
    try {
      await access(path)
      const passOver = this.#kept.periods.findLast((period) => period.version === version)?.passedOver !== undefined
      const built = await this.#accept({ path, fileName, date: dateOf(version), passOver })
      this.#inForce = { table: built, isFetched: true }
      if (this.#kept.periods.at(-1)?.version !== built.version)
        await this.#kept.keep(undefined, built, { origin: 'fetched', ...named(fileName) })
      await this.#changed()
      return true
    } catch (error) {
      await this.#fail(new TableError(`the stored content ${path} cannot be used: ${messageOf(error)}`, { cause: error }), true)
      return false
    }
  }

  /** Puts content in force, unless it already is. */
  async #take({ bytes, validators }: Fetched, accept: boolean): Promise<Taken> {
    const older = this.#inForce?.isFetched ? olderCopy(validators, this.#state.validators) : undefined
    if (older !== undefined && !accept) throw new TableError(older)
    const unpacked = await unpack(bytes, { max_bytes: this.definition.provider?.max_bytes })
    if (unpacked.length === 0 && !this.definition.mayBeEmpty) throw this.#emptyError()
    const hash = versionOf(unpacked)
    if (this.#inForce?.isFetched && this.#inForce.table.version.endsWith(hash)) return UNCHANGED
    const date = new Date(this.#options.clock.now()).toISOString().slice(0, 10)
    const fileName = sourceName(this.definition)
    const candidate = await this.#kept.candidate(unpacked)
    try {
      const rowsBefore = this.#inForce?.isFetched ? this.#inForce.table.rows : undefined
      const built = await this.#accept({ path: candidate, fileName, date, rowsBefore, passOver: accept })
      const passedOver = [...(older === undefined ? [] : [older]), ...(built.passedOver ?? [])]
      const table = { ...built, ...(passedOver.length > 0 && { passedOver }) }
      const period = await this.#kept.keep(candidate, table, { origin: 'fetched', ...named(fileName), bytes: unpacked.length })
      this.#inForce = { table, isFetched: true }
      // Before the state says that it is in force: a stop in between leads to the same change again.
      await this.#changed()
      return { isSame: false, period }
    } finally {
      await this.#kept.drop(candidate)
    }
  }

  #emptyError(): TableError {
    const { provider } = this.definition
    if (!provider || !providerDefinition(provider.type).mayStartEmpty) return new TableError('the content is empty')
    const { MinRows } = this.definition.checks
    const message = `there are no rows, fewer than MinRows (${MinRows})`
    return this.#inForce?.isFetched ? new TableError(message) : new NoContentYet(`${message}: the table waits for the first`)
  }

  /** The state with the outcome that this version is in force. It is compared with the one before in the background. */
  #swapped(state: TableState, period: VersionPeriod): TableState {
    const { version, sinceMs: atMs, rows, skipped, bytes, passedOver } = period
    const about = { version, ...(rows !== undefined && { rows }), ...(skipped !== undefined && { skipped }) }
    const outcome = {
      outcome: 'swapped',
      atMs,
      ...about,
      ...(bytes !== undefined && { bytes }),
      ...(passedOver && { passedOver }),
    } as const
    this.#comparing = this.#comparing
      .then(async () => this.#settle(atMs, await this.#kept.compare(period)))
      .catch(this.#options.onError)
    return { ...state, outcomes: withOutcome(state.outcomes ?? [], { ...outcome, isPending: true }) }
  }

  /** Records a swap whose comparison has ended, or was cut off by the end of the program. */
  async #settle(atMs: number, changes: DiffCounts | undefined): Promise<void> {
    const { outcomes, done } = compared(this.#state.outcomes ?? [], atMs, changes)
    if (!done) return
    this.#state = { ...this.#state, outcomes }
    await this.#options.store.save(this.definition.name, this.#state, done)
  }

  async #recordPending(): Promise<void> {
    for (const { atMs, isPending } of this.#state.outcomes ?? []) if (isPending) await this.#settle(atMs, undefined)
  }

  /** Resolves when the versions so far have been compared. */
  settled(): Promise<void> {
    return this.#comparing
  }

  /** The table's versions, oldest first. */
  get periods(): readonly VersionPeriod[] {
    return this.#versions?.periods ?? []
  }

  /** The path of a version's content. */
  pathOf(version: string): string {
    return this.#kept.pathOf(version)
  }

  /** See `VersionStore.erase`. */
  erase(isMeant: (content: Uint8Array) => boolean, isDry: boolean): Promise<number> {
    return this.#kept.erase(isMeant, isDry)
  }

  /** The outcomes of the last refreshes, newest last. */
  get outcomes(): readonly RefreshOutcome[] {
    return this.#state.outcomes ?? []
  }

  get #kept(): TableVersions {
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

  async #succeed(validators: Readonly<Record<string, string>>, taken: Taken): Promise<void> {
    this.#isMissing = false
    const { version, rows, skipped } = this.#inForce!.table
    const fileName = sourceName(this.definition)
    const { lastFailureMs, outcomes } = this.#state
    const state: TableState = {
      source: this.#source,
      version,
      rows,
      skipped,
      ...named(fileName),
      validators,
      lastSuccessMs: this.#options.clock.now(),
      ...(lastFailureMs === undefined ? {} : { lastFailureMs }),
      failures: 0,
      ...(outcomes && { outcomes }),
    }
    if (taken.isSame) await this.#saveWith(state, { outcome: 'unchanged', version })
    else await this.#save(taken.period ? this.#swapped(state, taken.period) : state)
  }

  /** `isRefused`: something answered, and the answer cannot be used or trusted. */
  async #fail(error: unknown, isRefused: boolean): Promise<void> {
    this.#isMissing = error instanceof NoContentYet
    this.#afterMs = error instanceof TableError ? error.afterMs : undefined
    const lastError = messageOf(error).slice(0, 1000)
    const atMs = this.#options.clock.now()
    const state = {
      ...this.#state,
      source: this.#source,
      lastFailureMs: atMs,
      lastError,
      isRefused,
      // Not a failure of the provider: retrying before the operator adds the key would not help.
      failures: error instanceof KeyError ? 0 : this.failures + 1,
    }
    const version = this.#inForce?.table.version
    await this.#saveWith(state, {
      outcome: isRefused ? 'refused' : 'failed',
      message: lastError,
      ...(version !== undefined && { version }),
    })
  }

  async #saveWith(state: TableState, about: Omit<NewOutcome, 'atMs'>): Promise<void> {
    const outcomes = withOutcome(state.outcomes ?? [], { ...about, atMs: this.#options.clock.now() })
    const last = outcomes.at(-1)!
    await this.#save({ ...state, outcomes }, last.times === 1 ? last : undefined)
  }

  async #save(state: TableState, outcome?: RefreshOutcome): Promise<void> {
    this.#state = state
    await this.#options.store.save(this.definition.name, state, outcome)
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

function providerOf(config: ProviderConfig, { definition, dataFolder, send, keys, runQuery }: KeptTableOptions): Provider {
  return createProvider(config, { send, keys, runQuery, table: definition.name, folder: dirname(definition.file), dataFolder })
}

function named(fileName: string | undefined): { fileName?: string } {
  return fileName === undefined ? {} : { fileName }
}
