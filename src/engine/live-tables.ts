import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { buildTable } from '../stages/enrich/build.ts'
import { createEnricher } from '../stages/enrich/enricher.ts'
import type { ContentFileRef } from '../stages/enrich/keeper-types.ts'
import type { BuiltTable, Enricher, Table } from '../stages/enrich/table.ts'
import { ConfigError } from '../util/errors.ts'
import { exactText } from './exact-text.ts'
import type { LoadedContent } from './path.ts'

/** The tables in force in this thread; a new content is swapped in between two batches, whole. */
export class LiveTables {
  readonly #content: LoadedContent
  readonly #tables = new Map<string, Table>()
  #version = 0

  constructor(content: LoadedContent) {
    this.#content = content
  }

  /** Builds a table of a content file aside and puts it in force. Rejects, with the old one in force, when it cannot be built. */
  async accept({ table: name, path, fileName, date }: ContentFileRef): Promise<BuiltTable> {
    const table = await this.build(name, path, fileName, date)
    this.#tables.set(name, table)
    this.#version++
    return { version: table.version, rows: table.size, skipped: table.skipped.count }
  }

  /** A table of that content, in force nowhere. */
  async build(name: string, path: string, fileName: string | undefined, date: string | undefined): Promise<Table> {
    const loaded = this.#content.tables.get(name)
    if (!loaded) throw new ConfigError(`there is no table '${name}'. Known: ${[...this.#content.tables.keys()].join(', ')}`)
    return buildTable(loaded.definition, loaded.schema, {
      bytes: await readFile(path),
      fileName: fileName ?? basename(path),
      date,
    })
  }

  /** True when the table is there and defined as it is in the other content: the same file makes the same table. */
  isAsIn(other: LiveTables, name: string): boolean {
    const [own, others] = [this, other].map((tables) => {
      const loaded = tables.#content.tables.get(name)
      return loaded && exactText([loaded.definition, loaded.schema])
    })
    return own !== undefined && own === others
  }

  /** Puts in force here what is in force there, of tables that are defined alike and not built here yet. */
  inherit(other: LiveTables): void {
    for (const [name, table] of other.#tables) if (!this.#tables.has(name) && this.isAsIn(other, name)) this.put(table)
  }

  put(table: Table): void {
    this.#tables.set(table.name, table)
    this.#version++
  }

  /** The enricher for the tables in force, `pinned` ones in place of those of the same name. Made anew only after a change. */
  enricherWith(pinned: readonly Table[]): () => Enricher {
    let made: { readonly version: number; readonly enricher: Enricher } | undefined
    return () => {
      if (made?.version !== this.#version) {
        const tables = new Map(this.#tables)
        for (const table of pinned) tables.set(table.name, table)
        made = { version: this.#version, enricher: createEnricher([...tables.values()]) }
      }
      return made.enricher
    }
  }
}
