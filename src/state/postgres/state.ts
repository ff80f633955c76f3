import { HandleEmptyInListsPlugin, Kysely, Migrator, replaceWithNoncontingentExpression, sql } from 'kysely'
import { messageOf, StorageError } from '../../util/errors.ts'
import { version } from '../../util/version.ts'
import { knownMigrations, migrations, type StateDb } from '../db.ts'
import type { StateTables } from '../tables.ts'
import { StatePostgresDialect } from './dialect.ts'
import { Owner, type OwnerOptions } from './owner.ts'
import { nameOf, type PostgresPlace } from './place.ts'
import { Readers } from './readers.ts'
import type { SessionTimes } from './session.ts'
import { TablesPlugin } from './tables-plugin.ts'

export interface PostgresOptions extends OwnerOptions {
  /** For tests and fixtures: the last migration to apply. */
  readonly upTo?: string
}

/** The state in a database of a PostgreSQL server, as opened by the process that writes it. */
export const postgresState = {
  type: 'postgres',
  summary: 'Keeps state in a database of a PostgreSQL server, written by one process at a time.',
  open: openPostgres,
} as const

/**
 * Opens the state for writing and migrates its tables, in one transaction. Nothing is copied before: the database is backed up with the
 * server's own means.
 *
 * @throws {StorageError} if the database cannot be used, another process has the state, or a newer version has migrated it.
 */
async function openPostgres(place: PostgresPlace, { upTo, ...options }: PostgresOptions = {}): Promise<StateDb> {
  const owner = new Owner(place, options)
  const db = kyselyOf(new StatePostgresDialect(owner))
  try {
    await owner.session()
    const known = await knownMigrations()
    refuseNewer(await migrationsOf(db), known, place)
    const migrator = new Migrator({ db: db.withPlugin(new TablesPlugin()), provider: migrations })
    const { error } = upTo === undefined ? await migrator.migrateToLatest() : await migrator.migrateTo(upTo)
    if (error) throw error
    await owner.takeOver()
    return db
  } catch (error) {
    await db.destroy()
    if (error instanceof StorageError) throw error
    throw new StorageError(`The state's database ${nameOf(place)} could not be migrated: ${messageOf(error)}`, { cause: error })
  }
}

/** Reads the state while a process writes it. Connects with the first question. */
export function readPostgres(place: PostgresPlace, times?: SessionTimes): StateDb {
  return kyselyOf(new StatePostgresDialect(new Readers(place, times)))
}

/** In SQLite a list of no values is a list; in PostgreSQL it is a mistake. */
function kyselyOf(dialect: StatePostgresDialect): StateDb {
  const emptyLists = new HandleEmptyInListsPlugin({ strategy: replaceWithNoncontingentExpression })
  return new Kysely<StateTables>({ dialect, plugins: [emptyLists] })
}

/** The migrations that the database has been through, oldest first. */
export async function migrationsOf(db: StateDb): Promise<string[]> {
  const { rows: found } = await sql<{ name: string | null }>`SELECT to_regclass('kysely_migration')::text AS name`.execute(db)
  if (found[0]?.name == null) return []
  const { rows } = await sql<{ name: string }>`SELECT name FROM kysely_migration ORDER BY name COLLATE "C"`.execute(db)
  return rows.map(({ name }) => name)
}

function refuseNewer(present: readonly string[], known: readonly string[], place: PostgresPlace): void {
  if (present.every((name) => known.includes(name))) return
  throw new StorageError(
    `The state's database ${nameOf(place)} was used by a newer version of Caracal: it has been migrated to ${present.at(-1)}, and this version, ${version()}, knows the migrations up to ${known.at(-1)}. Start the newer version, or restore a dump that was made before the upgrade into another database.`,
  )
}
