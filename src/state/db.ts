import { join } from 'node:path'
import { Kysely, type MigrationProvider, Migrator, SqliteAdapter, SqliteDialect, sql } from 'kysely'
import { RetryLater, StorageError } from '../util/errors.ts'
import { beforeMigrating } from './before-migrating.ts'
import * as spine from './migrations/0001-spine.ts'
import * as ruleCache from './migrations/0002-rule-cache.ts'
import * as correlation from './migrations/0003-correlation.ts'
import * as correlationPages from './migrations/0004-correlation-pages.ts'
import * as heldFlushes from './migrations/0005-held-flushes.ts'
import * as windowNumbers from './migrations/0006-window-numbers.ts'
import * as retroactive from './migrations/0007-retroactive.ts'
import * as ruleCacheOrder from './migrations/0008-rule-cache-order.ts'
import * as contentHistory from './migrations/0009-content-history.ts'
import * as alertTables from './migrations/0010-alert-tables.ts'
import * as sourceActivity from './migrations/0011-source-activity.ts'
import * as writtenRows from './migrations/0012-written-rows.ts'
import * as alertWork from './migrations/0013-alert-work.ts'
import * as mutes from './migrations/0014-mutes.ts'
import * as deliveryReferences from './migrations/0015-delivery-references.ts'
import * as deliveryOrder from './migrations/0016-delivery-order.ts'
import * as tokens from './migrations/0017-tokens.ts'
import * as risk from './migrations/0018-risk.ts'
import * as alertEvidence from './migrations/0019-alert-evidence.ts'
import * as alertHolds from './migrations/0020-alert-holds.ts'
import * as users from './migrations/0021-users.ts'
import * as alertIndexes from './migrations/0022-alert-indexes.ts'
import * as answeredCalls from './migrations/0023-answered-calls.ts'
import * as nodes from './migrations/0024-nodes.ts'
import type { OwnAdapter } from './own-adapter.ts'
import { openSqlite, type SqliteFile, type SqliteOptions, type Statement } from './sqlite.ts'
import type { StateTables } from './tables.ts'

export type StateDb = Kysely<StateTables>

export const migrations: MigrationProvider = {
  getMigrations: async () => ({
    '0001-spine': spine,
    '0002-rule-cache': ruleCache,
    '0003-correlation': correlation,
    '0004-correlation-pages': correlationPages,
    '0005-held-flushes': heldFlushes,
    '0006-window-numbers': windowNumbers,
    '0007-retroactive': retroactive,
    '0008-rule-cache-order': ruleCacheOrder,
    '0009-content-history': contentHistory,
    '0010-alert-tables': alertTables,
    '0011-source-activity': sourceActivity,
    '0012-written-rows': writtenRows,
    '0013-alert-work': alertWork,
    '0014-mutes': mutes,
    '0015-delivery-references': deliveryReferences,
    '0016-delivery-order': deliveryOrder,
    '0017-tokens': tokens,
    '0018-risk': risk,
    '0019-alert-evidence': alertEvidence,
    '0020-alert-holds': alertHolds,
    '0021-users': users,
    '0022-alert-indexes': alertIndexes,
    '0023-answered-calls': answeredCalls,
    '0024-nodes': nodes,
  }),
}

/** The names of this version's migrations, oldest first. */
export async function knownMigrations(): Promise<string[]> {
  return Object.keys(await migrations.getMigrations()).sort()
}

export interface StateOptions extends SqliteOptions {
  /** For tests and fixtures: the last migration to apply. */
  readonly upTo?: string
}

/**
 * Opens `state.db` for writing and migrates its tables, after copying it as it is (`beforeMigrating`). Synchronous underneath, so only the
 * pipeline thread may call it.
 */
export async function openState(dataDir: string, { upTo, ...options }: StateOptions = {}): Promise<StateDb> {
  const file = openSqlite(join(dataDir, 'state.db'), options)
  const db = new Kysely<StateTables>({ dialect: new StateDialect(file) })
  try {
    beforeMigrating(dataDir, await knownMigrations())
    const migrator = new Migrator({ db, provider: migrations })
    const { error } = upTo === undefined ? await migrator.migrateToLatest() : await migrator.migrateTo(upTo)
    if (error) throw error
  } catch (error) {
    await db.destroy()
    if (error instanceof StorageError) throw error
    throw new StorageError(`The state database in ${dataDir} could not be migrated: ${String(error)}`, { cause: error })
  }
  return db
}

/** The state, as opened by the process that writes it. */
export const sqliteState = {
  type: 'sqlite',
  summary: 'Keeps state in one SQLite file in the data folder, written by one thread.',
  open: openState,
} as const

/** Opens `state.db` read-only (API, deliveries). */
export function readState(dataDir: string): StateDb {
  return new Kysely<StateTables>({ dialect: new StateDialect(openSqlite(join(dataDir, 'state.db'), { readonly: true })) })
}

/** Number of prepared statements to cache: those of a commit and of what runs alongside it. */
const MAX_PREPARED = 200

/**
 * The file with a cache of prepared statements. Reusing them is safe, because Kysely runs each one to its end before it requests the
 * next.
 */
function preparedOnce(file: SqliteFile): SqliteFile {
  const prepared = new Map<string, Statement>()
  return {
    ...file,
    prepare(sql) {
      const known = prepared.get(sql)
      if (known) return known
      const statement = file.prepare(sql)
      if (prepared.size >= MAX_PREPARED) prepared.clear()
      prepared.set(sql, statement)
      return statement
    },
  }
}

/**
 * Runs each migration in a transaction, which Kysely does not do for SQLite. Otherwise an interrupted migration could never succeed
 * later.
 */
class StateAdapter extends SqliteAdapter implements OwnAdapter {
  readonly #file: SqliteFile

  constructor(file: SqliteFile) {
    super()
    this.#file = file
  }

  override get supportsTransactionalDdl(): boolean {
    return true
  }

  /** The whole file, and its log. */
  async scrub(db: Kysely<never>): Promise<void> {
    await sql`VACUUM`.execute(db)
    const { rows } = await sql<{ busy: number }>`PRAGMA wal_checkpoint(TRUNCATE)`.execute(db)
    if (rows[0]?.busy !== 0)
      throw new RetryLater('the log of the state still has what was deleted, because somebody reads the state')
  }

  /** Whatever is committed later is written behind it in the same log, and synced together with it. */
  unhurried<DB, T>(db: Kysely<DB>, work: (db: Kysely<DB>) => Promise<T>): Promise<T> {
    return db.connection().execute(async (only) => {
      this.#file.exec('PRAGMA synchronous = NORMAL')
      try {
        return await work(only)
      } finally {
        this.#file.exec('PRAGMA synchronous = FULL')
      }
    })
  }
}

class StateDialect extends SqliteDialect {
  readonly #file: SqliteFile

  constructor(file: SqliteFile) {
    super({ database: preparedOnce(file) as unknown as ConstructorParameters<typeof SqliteDialect>[0]['database'] as never })
    this.#file = file
  }

  override createAdapter(): SqliteAdapter {
    return new StateAdapter(this.#file)
  }
}
