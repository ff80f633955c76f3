import { type MmdbImage, MmdbTable } from './mmdb/mmdb-table.ts'
import type { Table } from './table.ts'
import type { TableSchema } from './table-schema.ts'
import { MemoryTable, type TableImage } from './tables/memory-table.ts'

/** A table as it is sent to another thread, which then shares its memory. */
export type AnyImage = TableImage | MmdbImage

/** Opens a table that another thread has built with the same schema. */
export function openTable(image: AnyImage, schema: TableSchema | undefined): Table {
  return 'kind' in image ? new MmdbTable(image, schema) : new MemoryTable(image, schema)
}

export function imageOf(table: Table): AnyImage {
  if (table instanceof MemoryTable || table instanceof MmdbTable) return table.image
  throw new Error(`table '${table.name}' is not in shared memory`)
}
