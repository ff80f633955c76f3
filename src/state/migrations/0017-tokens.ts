import type { Kysely } from 'kysely'

/** Tokens of the API, by the hash of their secret. */
export async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('tokens')
    .addColumn('token_id', 'text', (column) => column.primaryKey())
    .addColumn('hash', 'text', (column) => column.notNull().unique())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('cidrs', 'text', (column) => column.notNull())
    .addColumn('log_types', 'text', (column) => column.notNull())
    .addColumn('created_ms', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('expires_ms', 'bigint')
    .addColumn('revoked_ms', 'bigint')
    .addColumn('revoked_by', 'text')
    .addColumn('last_ms', 'bigint')
    .addColumn('last_address', 'text')
    .execute()
}
