import type { Kysely } from 'kysely'

/** Rows of lookup tables that events write. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('written_rows')
    .addColumn('table_name', 'text', (column) => column.notNull())
    .addColumn('shape', 'text', (column) => column.notNull())
    .addColumn('key_hash', 'text', (column) => column.notNull())
    .addColumn('entry', 'text', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('since_ms', 'integer', (column) => column.notNull())
    .addColumn('created_ms', 'integer', (column) => column.notNull())
    .addColumn('written_ms', 'integer', (column) => column.notNull())
    .addColumn('read_ms', 'integer', (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('written_rows_key', ['table_name', 'shape', 'key_hash'])
    .execute()
}
