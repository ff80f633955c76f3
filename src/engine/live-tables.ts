import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { buildTable } from '../stages/enrich/build.ts'
import { failedChecks } from '../stages/enrich/content-checks.ts'
import { definitionKey } from '../stages/enrich/definition.ts'
import { createEnricher } from '../stages/enrich/enricher.ts'
import { inlineBytes } from '../stages/enrich/inline.ts'
import type { ContentFileRef } from '../stages/enrich/keeper-types.ts'
import type { MissedAddresses, NoteMisses } from '../stages/enrich/live/missed-addresses.ts'
import { type Enricher, type Table, TableError } from '../stages/enrich/table.ts'
import { ConfigError } from '../util/errors.ts'
import type { ContentSource } from './generation.ts'
import type { LoadedContent } from './path.ts'

/** A table that may be put in force. */
export interface AcceptedTable {
  readonly table: Table
  /** Checks that it does not pass. */
  readonly passedOver: readonly string[]
}

const NONE: readonly Table[] = []

/** Why a table that events write cannot be read here. */
function writtenElsewhere(name: string): string {
  return `table '${name}' is written by events as they arrive, and has no rows in a replay: what was there at the time is in the original match`
}

/** The tables in force in this thread; new content is swapped in as a whole, between two batches. */
export class LiveTables {
  readonly #content: LoadedContent
  readonly #tables = new Map<string, Table>()
  readonly #onPut: (table: Table) => void
  readonly #missed: MissedAddresses | undefined
  #version = 0

  /** `onPut` is called with each table that is put in force; `missed` collects what live tables lack. */
  constructor(content: LoadedContent, onPut: (table: Table) => void = () => {}, missed?: MissedAddresses) {
    this.#content = content
    this.#onPut = onPut
    this.#missed = missed
  }

  get inForce(): readonly Table[] {
    return [...this.#tables.values()]
  }

  /** Tables specific to this source, which replace those of the same name. */
  async pinnedFor({ tables = {} }: Pick<ContentSource, 'id' | 'tables'>): Promise<readonly Table[]> {
    const pinned: Table[] = []
    for (const [name, path] of Object.entries(tables)) pinned.push(await this.build(name, path, undefined, undefined))
    return pinned
  }

  /** A content file's table and the checks that it was allowed not to pass; not put in force. */
  async accept({ table: name, path, fileName, date, rowsBefore, passOver }: ContentFileRef): Promise<AcceptedTable> {
    const table = await this.build(name, path, fileName, date)
    const failed = failedChecks(table, this.#content.tables.get(name)!.definition.checks, rowsBefore)
    if (failed.length > 0 && !passOver) throw new TableError(failed.join('; '))
    return { table, passedOver: failed }
  }

  /** A table of that content, not put in force. */
  async build(name: string, path: string, fileName: string | undefined, date: string | undefined): Promise<Table> {
    const loaded = this.#content.tables.get(name)
    if (loaded?.written) throw new ConfigError(`events write the rows of table '${name}', so it cannot be read from a file`)
    if (!loaded) throw new ConfigError(`there is no table '${name}'. Known: ${[...this.#content.tables.keys()].join(', ')}`)
    const { inline, file } = loaded.definition
    return buildTable(loaded.definition, loaded.schema, {
      bytes: inline && path === file ? inlineBytes(inline) : await readFile(path),
      fileName: fileName ?? basename(path),
      date,
    })
  }

  /** Table → the version in force. */
  get versions(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#tables.values()].map(({ name, version }) => [name, version]))
  }

  /** True if the table exists with this definition (`definitionKey`). */
  defines(name: string, key: string): boolean {
    const loaded = this.#content.tables.get(name)
    return loaded !== undefined && definitionKey(loaded.definition) === key
  }

  /** Puts in force here what is in force there, for tables with the same definition that are not built here yet. */
  inherit(other: LiveTables): void {
    for (const [name, table] of other.#tables) {
      const definition = other.#content.tables.get(name)?.definition
      if (definition && !this.#tables.has(name) && this.defines(name, definitionKey(definition))) this.put(table)
    }
  }

  put(table: Table): void {
    this.#tables.set(table.name, table)
    this.#version++
    this.#onPut(table)
  }

  /**
   * The enricher for the tables in force and `written` ones, with `pinned` ones replacing those of the same name. Only rebuilt after a
   * change.
   */
  enricherWith(pinned: readonly Table[]): (written?: readonly Table[]) => Enricher {
    let made: { readonly version: number; readonly written: readonly Table[]; readonly enricher: Enricher } | undefined
    return (written = NONE) => {
      if (made?.version !== this.#version || made.written !== written) {
        const tables = new Map(this.#tables)
        for (const table of [...written, ...pinned]) tables.set(table.name, table)
        const enricher = createEnricher([...tables.values()], (table) => this.#missesOf(table), this.absent)
        made = { version: this.#version, written, enricher }
      }
      return made.enricher
    }
  }

  /** Why a table is not in force although it exists: events write it, and have rows of it only as they arrive. */
  readonly absent = (name: string): string | undefined => {
    return this.#content.tables.get(name)?.written && writtenElsewhere(name)
  }

  /** A table that is pinned to a file never learns of new addresses. */
  #missesOf(table: Table): NoteMisses | undefined {
    const isLive = this.#content.tables.get(table.name)?.definition.provider?.type === 'live'
    return isLive && this.#tables.get(table.name) === table ? this.#missed?.of(table.name) : undefined
  }
}
