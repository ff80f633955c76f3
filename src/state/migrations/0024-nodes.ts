import type { Kysely } from 'kysely'

/** The processes that share a state, and the files that each of them needs: whoever takes over must find them without the others' disks. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('nodes')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('roles', 'text', (column) => column.notNull())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('started_ms', 'bigint', (column) => column.notNull())
    .addColumn('seen_ms', 'bigint', (column) => column.notNull())
    .execute()
  await schema
    .createTable('stored_files')
    .addColumn('path', 'text', (column) => column.primaryKey())
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .execute()
  await schema
    .createTable('stored_parts')
    .addColumn('path', 'text', (column) => column.notNull())
    .addColumn('part', 'integer', (column) => column.notNull())
    .addColumn('chunk', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('stored_parts_part', ['path', 'part'])
    .execute()
  await schema.createIndex('stored_parts_chunk').on('stored_parts').column('chunk').execute()
  await schema
    .createTable('stored_chunks')
    .addColumn('chunk', 'text', (column) => column.primaryKey())
    .addColumn('data', 'blob', (column) => column.notNull())
    .execute()
}
