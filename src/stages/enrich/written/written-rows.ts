import type { RowChange, WrittenRow, WrittenTableId } from '../../../model/table-write.ts'
import type { Table } from '../table.ts'
import { RowVersions } from './row-versions.ts'
import { type WrittenDefinition, WrittenTable } from './written-table.ts'

/** What a write changes, as far as other threads need to know. */
export interface RowsWritten {
  readonly number: number
  readonly changes: readonly Pick<RowChange, 'table' | 'key' | 'after'>[]
}

/** The rows of all tables that events write, as one thread has them. */
export class WrittenRows {
  readonly #tables = new Map<string, { readonly id: WrittenTableId; readonly rows: RowVersions }>()
  readonly #views = new WeakMap<readonly WrittenDefinition[], { readonly number: number; readonly tables: readonly Table[] }>()

  of(id: WrittenTableId): RowVersions {
    const key = `${id.shape} ${id.name}`
    const known = this.#tables.get(key)
    if (known) return known.rows
    const rows = new RowVersions()
    this.#tables.set(key, { id, rows })
    return rows
  }

  /** Tables of the same name that have another key. */
  othersOf({ name, shape }: WrittenTableId): readonly { readonly id: WrittenTableId; readonly rows: RowVersions }[] {
    return [...this.#tables.values()].filter(({ id }) => id.name === name && id.shape !== shape)
  }

  /** Applies a write. `oldest`: no batch needs the rows as of an earlier one. */
  put({ number, changes }: RowsWritten, oldest: number): void {
    for (const { table, key, after } of changes) this.of(table).put(key, after, { number, oldest })
  }

  /** The tables as of a write. The same array as long as the write is the same. */
  tablesAt(definitions: readonly WrittenDefinition[], number: number): readonly Table[] {
    const known = this.#views.get(definitions)
    if (known?.number === number) return known.tables
    const tables = definitions.map((definition) => {
      const rows = this.of(definition.shape.id)
      return new WrittenTable(definition, { rowOf: (key) => rows.get(key, number), size: rows.size, version: number })
    })
    this.#views.set(definitions, { number, tables })
    return tables
  }

  /** All rows as of a write, as one write of that number. */
  wholeAt(number: number): RowsWritten {
    const changes = [...this.#tables.values()].flatMap(({ id, rows }) =>
      rows.keys.flatMap((key): RowsWritten['changes'] => {
        const row: WrittenRow | undefined = rows.get(key, number)
        return row ? [{ table: id, key, after: row }] : []
      }),
    )
    return { number, changes: changes.sort((a, b) => a.after!.order - b.after!.order) }
  }
}
