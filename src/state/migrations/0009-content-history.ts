import type { Kysely } from 'kysely'

/** Content files by generation. Each text is stored once, no matter how many generations have it. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('content_generations')
    .addColumn('number', 'bigint', (column) => column.primaryKey().notNull())
    .addColumn('generation', 'text', (column) => column.notNull())
    .addColumn('created_ms', 'bigint', (column) => column.notNull())
    .addColumn('cause', 'text', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('commits', 'text', (column) => column.notNull())
    .execute()
  await schema
    .createTable('content_changes')
    .addColumn('number', 'bigint', (column) => column.notNull())
    .addColumn('root', 'text', (column) => column.notNull())
    .addColumn('path', 'text', (column) => column.notNull())
    .addColumn('before_hash', 'text')
    .addColumn('after_hash', 'text')
    .addPrimaryKeyConstraint('content_changes_pk', ['number', 'root', 'path'])
    .execute()
  await schema
    .createTable('content_files')
    .addColumn('root', 'text', (column) => column.notNull())
    .addColumn('path', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('content_files_pk', ['root', 'path'])
    .execute()
  await schema
    .createTable('content_texts')
    .addColumn('hash', 'text', (column) => column.primaryKey().notNull())
    .addColumn('text', 'blob', (column) => column.notNull())
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    .execute()
}
