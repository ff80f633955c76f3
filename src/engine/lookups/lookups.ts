import { mkdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { definitionKey, type TableDefinition } from '../../stages/enrich/definition.ts'
import type { VersionFile } from '../../stages/enrich/keeper-types.ts'
import { TableError } from '../../stages/enrich/table.ts'
import { contentFile, tableFolder } from '../../stages/enrich/versions/files.ts'
import { readHistory } from '../../stages/enrich/versions/history.ts'
import type { Lake } from '../../stages/store/lake.ts'
import { type LookupColumn, type LookupView, STORED_LOOKUPS } from '../../stages/store/lookups.ts'
import { messageOf, RetryLater } from '../../util/errors.ts'
import { pause } from '../../util/pause.ts'
import type { TableFiles } from '../table-work/jobs.ts'
import type { TableWork } from '../table-work/table-work.ts'
import type { WrittenRows } from '../table-work/write-rows.ts'
import { namesOfLookups } from './names.ts'

interface LookupsDeps {
  /** `data_dir`. */
  readonly dataFolder: string
  readonly lake: Pick<Lake, 'query' | 'storeLookup' | 'showLookups'>
  readonly work: Pick<TableWork, 'run'>
  /** The files that define a table. */
  readonly files: (table: string) => Promise<TableFiles>
  /** The lake will never take the rows of tables; `undefined`: it does again. */
  readonly onTrouble: (message: string | undefined) => void
  readonly now: () => number
  readonly againMs?: number
}

/** What the lake has of a table; all but version and time is stored as text with it. */
interface Stored extends WrittenRows {
  readonly version: string
  readonly sinceMs: number
  /** `definitionKey` of the table that its rows were read as. */
  readonly definition: string
}

const AGAIN_MS = 5000
const FAILED_MS = 60_000
/** Storing versions that take long takes at most one part in this number of the time. */
const SHARE = 5
const LONG_MS = 3000
const MAX_TABLES = 100_000

const NOT_YET = 'has no content in the lake yet: `caracal tables` says whether it has any'
const REMOVED = { definition: '', columns: [], reason: 'has been removed or disabled' } as const

/**
 * Brings the lookup tables into the lake, where SQL reads them as `lookups.<name>`. In the background, one version at a time, always by
 * comparing the versions on disk with what the lake says it has: whatever a stop interrupts is done after the next start.
 */
export class Lookups {
  readonly #deps: LookupsDeps
  readonly #ending = new AbortController()
  #definitions: readonly TableDefinition[] | undefined
  #stored: Map<string, Stored> | undefined
  #isDue = false
  #running: Promise<void> | undefined

  constructor(deps: LookupsDeps) {
    this.#deps = deps
  }

  /** These are the tables from now on. Nothing happens before the first call. */
  update(definitions: readonly TableDefinition[]): void {
    this.#definitions = definitions
    this.changed()
  }

  /** The versions of some table have changed. */
  changed(): void {
    this.#isDue = true
    if (this.#definitions === undefined || this.#ending.signal.aborted) return
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** Resolves when the lake has everything. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running
  }

  async stop(): Promise<void> {
    this.#ending.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending
    while (this.#isDue && !signal.aborted) {
      this.#isDue = false
      try {
        await this.#bring(this.#definitions ?? [])
        this.#deps.onTrouble(undefined)
      } catch (error) {
        if (signal.aborted) return
        const isPassing = error instanceof RetryLater
        if (!isPassing) this.#deps.onTrouble(`Lookup tables cannot be brought into the lake: ${messageOf(error)}`)
        this.#isDue = true
        await pause(this.#deps.againMs ?? (isPassing ? AGAIN_MS : FAILED_MS), signal)
      }
    }
  }

  async #bring(definitions: readonly TableDefinition[]): Promise<void> {
    this.#stored ??= await this.#load()
    const names = new Set(definitions.flatMap(({ name, events }) => (events ? [] : name)))
    for (const [name, { version, reason }] of this.#stored)
      if (!names.has(name) && reason !== REMOVED.reason) await this.#store(name, { ...REMOVED, version, sinceMs: 0 })
    // What is in the lake already can be read at once.
    await this.#show(definitions)
    let failed: unknown
    for (const definition of definitions) {
      try {
        if (await this.#follow(definition)) await this.#show(definitions)
      } catch (error) {
        if (error instanceof RetryLater || this.#ending.signal.aborted) throw error
        failed ??= error
      }
    }
    if (failed !== undefined) throw failed
  }

  async #load(): Promise<Map<string, Stored>> {
    const { rows } = await this.#deps.lake.query(STORED_LOOKUPS, { maxRows: MAX_TABLES })
    const read = rows.map((row) => JSON.parse(row) as [table: string, version: string, sinceMs: number, about: string])
    return new Map(
      read.map(([table, version, sinceMs, about]) => [
        table,
        { version, sinceMs, ...(JSON.parse(about) as Omit<Stored, 'version' | 'sinceMs'>) },
      ]),
    )
  }

  /**
   * Stores the versions of a table that came into force after the one that is stored, or that one again if its definition has changed.
   * True if there was anything to store.
   */
  async #follow(definition: TableDefinition): Promise<boolean> {
    const { name, events } = definition
    if (events) return false
    const folder = tableFolder(join(this.#deps.dataFolder, 'tables'), name)
    const periods = (await readHistory(folder)).filter(({ isGone }) => !isGone)
    const last = periods.at(-1)
    const stored = this.#stored!.get(name)
    const key = definitionKey(definition)
    if (!last || (stored?.version === last.version && stored.definition === key)) return false
    const later = periods.filter(({ sinceMs }) => sinceMs > (stored?.sinceMs ?? 0))
    for (const { version, sinceMs, fileName } of later.length > 0 ? later : [last]) {
      const began = performance.now()
      const from = { path: join(folder, contentFile(version)), fileName }
      await this.#write(name, from, (file, written) => this.#store(name, { ...written, definition: key, version, sinceMs }, file))
      const ms = performance.now() - began
      if (ms > LONG_MS) await pause(ms * (SHARE - 1), this.#ending.signal)
    }
    return true
  }

  /** Has the rows of a content written to a file for as long as `use` needs it. */
  async #write(
    table: string,
    version: VersionFile,
    use: (file: string | undefined, written: WrittenRows) => Promise<void>,
  ): Promise<void> {
    const { dataFolder, work, files } = this.#deps
    const { signal } = this.#ending
    const folder = resolve(join(dataFolder, 'inserts'))
    const file = join(folder, 'lookups.jsonl')
    await mkdir(folder, { recursive: true, mode: 0o700 })
    try {
      const written = await work
        .run(table, await files(table), { kind: 'write', version, file }, signal)
        .catch((error: unknown): WrittenRows => {
          if (!(error instanceof TableError)) throw error
          return { columns: [], reason: `cannot be read: ${error.message}` }
        })
      await use(written.reason === undefined ? file : undefined, written)
    } finally {
      await rm(file, { force: true })
    }
  }

  async #store(table: string, { version, sinceMs, ...about }: Stored, file?: string): Promise<void> {
    const before = this.#stored!.get(table)?.sinceMs ?? 0
    const since = sinceMs > before ? sinceMs : Math.max(this.#deps.now(), before + 1)
    await this.#deps.lake.storeLookup({ table, version, sinceMs: since, file, about: JSON.stringify(about) })
    this.#stored!.set(table, { version, sinceMs: since, ...about })
  }

  #show(definitions: readonly TableDefinition[]): Promise<void> {
    const byName = new Map(definitions.map((definition) => [definition.name, definition]))
    const views = [...namesOfLookups([...byName.keys()])].map(([name, { table, isHistory }]): LookupView => {
      const { events } = byName.get(table)!
      if (events) return { name, table, isHistory, columns: events.columns.map(([column]) => ({ name: column, kind: 'text' })) }
      const stored = this.#stored!.get(table)
      const isThere = stored !== undefined && stored.reason !== REMOVED.reason
      const keyColumns = byName.get(table)!.key.columns.map((column): LookupColumn => ({ name: column, kind: 'text' }))
      const columns = isThere && stored.columns.length > 0 ? stored.columns : keyColumns
      const reason = isThere ? stored.reason : NOT_YET
      return { name, table, isHistory, columns, ...(reason !== undefined && { reason: `table ${table} ${reason}` }) }
    })
    return this.#deps.lake.showLookups(views)
  }
}
