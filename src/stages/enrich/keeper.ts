import { join } from 'node:path'
import { nextCronTime } from '../../util/cron.ts'
import { Refused } from '../../util/errors.ts'
import type { Send } from '../../util/http/send.ts'
import type { WordPattern } from '../../util/word-pattern.ts'
import type { ApiKeys } from './api-keys.ts'
import { definitionKey, type TableDefinition } from './definition.ts'
import { providerDefinition } from './index.ts'
import type {
  AcceptContent,
  CompareVersions,
  KeeperClock,
  StoredVersion,
  TableStatus,
  TableStatusStore,
  VersionInForce,
} from './keeper-types.ts'
import { KeptTable } from './kept-table.ts'
import type { Askers } from './live/askers.ts'
import type { RefreshOutcome } from './outcomes.ts'
import type { RunQuery } from './provider.ts'
import { dateOf, type VersionPeriod } from './versions/history.ts'

/** What is known of a table's past. */
export interface TableHistory {
  readonly versions: readonly VersionPeriod[]
  readonly outcomes: readonly RefreshOutcome[]
}

export interface TableKeeperOptions {
  /** Enabled tables. */
  readonly definitions: readonly TableDefinition[]
  /** `data_dir`; content is stored in its `tables` folder. */
  readonly dataFolder: string
  readonly store: TableStatusStore
  readonly accept: AcceptContent
  /** Called with each version that has come into force; may be called again with the same. Never rejects. */
  readonly changed: (change: VersionInForce) => Promise<void>
  readonly send: Send
  readonly keys: ApiKeys
  /** Runs the queries that fill tables. */
  readonly runQuery?: RunQuery
  readonly clock: KeeperClock
  /** 0 ≤ n < 1, to spread refreshes. */
  readonly random: () => number
  /** Approximate delay of the first network refresh after a start (default: three minutes). */
  readonly firstDelayMs?: number
  /** Counts how versions differ, elsewhere. */
  readonly compare: CompareVersions
  /** Versions of a table that an alert names. */
  readonly namedVersions: (table: string) => Promise<ReadonlySet<string>>
  /** Called when the keeper itself fails (state or disk), which is not a table's fault. */
  readonly onError: (error: unknown) => void
  /** What asks services for the rows of live tables. */
  readonly live?: Pick<Askers, 'update' | 'status' | 'retry' | 'stop'>
}

const FIRST_DELAY_MS = 3 * 60_000
const FIRST_RETRY_MS = 60_000

/** Who has written files of tables. */
export interface WrittenFiles {
  readonly actor?: string | undefined
  /** Absolute paths. */
  readonly files?: readonly string[]
}

interface Entry {
  readonly table: KeptTable
  /** Aborted when the table is removed. */
  readonly ended: AbortController
  nextMs: number | undefined
  cancel: (() => void) | undefined
  running: Promise<void> | undefined
}

/**
 * Keeps tables fresh: loads the last good content of each at start, calls providers on a timer, passes on new content,
 * preserves the last good content through every failure, and reports the status of each table.
 */
export class TableKeeper {
  readonly #options: TableKeeperOptions
  readonly #entries = new Map<string, Entry>()
  readonly #stopping = new AbortController()

  constructor(options: TableKeeperOptions) {
    this.#options = options
    for (const definition of withContent(options.definitions)) this.#entries.set(definition.name, this.#entryOf(definition))
  }

  /**
   * Resolves when every table with content on this machine is in force; network refreshes then follow on a timer.
   * Rejects only if the state or the disk fails.
   */
  async start(): Promise<void> {
    await this.#options.live?.update(this.#options.definitions)
    for (const entry of this.#entries.values()) await this.#begin(entry)
  }

  /**
   * Replaces the set of tables: those with an unchanged definition continue, with any changes in their local files; the others begin as
   * at a start. Resolves when all of them are in force. A new version of a file that `written` names is the actor's.
   */
  async update(definitions: readonly TableDefinition[], { actor, files = [] }: WrittenFiles = {}): Promise<void> {
    const writerOf = ({ filename }: TableDefinition) => (filename && files.includes(filename) ? actor : undefined)
    const wanted = new Map(withContent(definitions).map((definition) => [definition.name, definition]))
    for (const [name, entry] of this.#entries) {
      if (isSame(entry.table.definition, wanted.get(name))) continue
      entry.ended.abort()
      entry.cancel?.()
      this.#entries.delete(name)
      await entry.running
    }
    await this.#options.live?.update(definitions)
    for (const [name, definition] of wanted) {
      const kept = this.#entries.get(name)
      const by = writerOf(definition)
      if (kept) await this.#reread(kept, by)
      else {
        const entry = this.#entryOf(definition)
        this.#entries.set(name, entry)
        try {
          await this.#begin(entry, by)
        } catch (error) {
          // Dropped, so that the next call begins it again.
          this.#entries.delete(name)
          throw error
        }
      }
    }
  }

  /**
   * Refreshes one table now (after the refresh under way, if any) and returns its status afterwards. `accept`: content may fail the
   * table's checks this time.
   */
  async refresh(name: string, { accept = false }: { readonly accept?: boolean } = {}): Promise<TableStatus> {
    const { table } = this.#entry(name)
    if (accept && !table.hasProvider)
      throw new Refused(`table '${name}' is never fetched, so its checks apply whenever it is loaded: change its Checks instead`)
    this.#options.live?.retry(name)
    const status = await this.renew(name, accept)
    await table.settled()
    return status
  }

  /** The same, but the service of a live table is not asked earlier than it would be anyway. */
  async renew(name: string, accept = false): Promise<TableStatus> {
    const entry = this.#entry(name)
    await entry.running
    if (entry.table.hasProvider) await this.#run(entry, accept)
    else await entry.table.reread()
    return this.#status(entry)
  }

  /** A table's versions, oldest first, and the outcomes of its last refreshes, newest last. */
  historyOf(name: string): TableHistory {
    const { table } = this.#entry(name)
    return { versions: table.periods, outcomes: table.outcomes }
  }

  /** Removes past versions of tables that contain a value, and returns how many; `isDry`: only counts. What is in force stays. */
  async erase(pattern: WordPattern, isDry: boolean): Promise<number> {
    let n = 0
    for (const { table } of this.#entries.values())
      n += await table.erase((content) => pattern.test(Buffer.from(content).toString()), isDry)
    return n
  }

  /** Where the content of a table's version is stored. */
  storedVersion(name: string, { version, fileName }: VersionPeriod): StoredVersion {
    return { path: this.#entry(name).table.pathOf(version), fileName, date: dateOf(version) }
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name)
    if (!entry) throw new Error(`there is no table '${name}'. Known: ${[...this.#entries.keys()].join(', ')}`)
    return entry
  }

  /** The status of every table, sorted by name. */
  status(): readonly TableStatus[] {
    return [...this.#entries.values()].map((entry) => this.#status(entry)).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Resolves when no refresh is under way, and no comparison of versions. */
  async settled(): Promise<void> {
    await Promise.all([...this.#entries.values()].map((entry) => entry.running))
    await Promise.all([...this.#entries.values()].map((entry) => entry.table.settled()))
  }

  /** Stops timers and refreshes under way. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#options.live?.stop()
    for (const entry of this.#entries.values()) entry.cancel?.()
    await this.settled()
  }

  #status({ table, nextMs }: Entry): TableStatus {
    const live = this.#options.live?.status(table.definition.name)
    return { ...table.status(nextMs), ...(live && { live }) }
  }

  #entryOf(definition: TableDefinition): Entry {
    const tablesFolder = join(this.#options.dataFolder, 'tables')
    const ended = new AbortController()
    const signal = AbortSignal.any([this.#stopping.signal, ended.signal])
    const table = new KeptTable({ ...this.#options, definition, tablesFolder, signal })
    return { table, ended, nextMs: undefined, cancel: undefined, running: undefined }
  }

  async #begin(entry: Entry, by?: string): Promise<void> {
    await entry.table.start(by)
    if (!entry.table.hasProvider) return
    if (isLocal(entry)) await this.#run(entry)
    else this.#schedule(entry, this.#firstDelay(entry))
  }

  /** Loads local content that has changed. */
  async #reread(entry: Entry, by: string | undefined): Promise<void> {
    if (!entry.table.hasProvider) return entry.table.reread(by)
    if (!isLocal(entry)) return
    await entry.running
    await this.#run(entry)
  }

  #run(entry: Entry, accept = false): Promise<void> {
    if (entry.running) return entry.running
    entry.cancel?.()
    const done = entry.table
      .refresh({ accept })
      .catch(this.#options.onError)
      .finally(() => {
        entry.running = undefined
        this.#schedule(entry, this.#nextDelay(entry))
      })
    entry.running = done
    return done
  }

  #schedule(entry: Entry, delayMs: number): void {
    if (this.#stopping.signal.aborted || entry.ended.signal.aborted) return
    entry.nextMs = this.#options.clock.now() + delayMs
    entry.cancel = this.#options.clock.after(delayMs, () => void this.#run(entry))
  }

  /** Some time after the start, or when the next refresh after the last content is due, whichever is later. */
  #firstDelay({ table }: Entry): number {
    const { provider } = table.definition
    const own = (provider && providerDefinition(provider.type).firstDelayMs) ?? Number.POSITIVE_INFINITY
    const first = Math.min(this.#options.firstDelayMs ?? FIRST_DELAY_MS, own) * this.#jitter()
    if (table.lastSuccessMs === undefined) return first
    return Math.max(first, dueAfter(table, table.lastSuccessMs) - this.#options.clock.now())
  }

  /** Until the next refresh is due; after failures one minute, doubled each time, at most until then, but not before the server wants it. */
  #nextDelay({ table }: Entry): number {
    const nowMs = this.#options.clock.now()
    const wait = dueAfter(table, nowMs) - nowMs
    if (table.failures > 0) {
      const backOff = Math.min(wait, FIRST_RETRY_MS * 2 ** Math.min(20, table.failures - 1)) * this.#jitter()
      return Math.max(backOff, table.afterMs ?? 0)
    }
    return table.definition.cron === undefined ? wait * this.#jitter() : wait
  }

  #jitter(): number {
    return 0.9 + this.#options.random() * 0.2
  }
}

/** Those that events write have no content to keep. */
function withContent(definitions: readonly TableDefinition[]): readonly TableDefinition[] {
  return definitions.filter(({ events }) => !events)
}

/** When the next refresh is due after one at `ms`. */
function dueAfter({ definition: { cron, periodMinutes } }: KeptTable, ms: number): number {
  const due = cron === undefined ? undefined : nextCronTime(cron, ms)
  return due ?? ms + periodMinutes * 60_000
}

function isLocal({ table }: Entry): boolean {
  return table.definition.provider !== undefined && providerDefinition(table.definition.provider.type).isLocal === true
}

function isSame(a: TableDefinition, b: TableDefinition | undefined): boolean {
  return b !== undefined && definitionKey(a) === definitionKey(b)
}

/** System time; timers do not keep the process alive. */
export const systemClock: KeeperClock = {
  now: Date.now,
  after(ms, run) {
    // Timers have 31 bits: a longer wait ends early, with one extra refresh.
    const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1))
    timer.unref()
    return () => clearTimeout(timer)
  },
}
