import { readState, type StateDb, sqliteState } from './db.ts'
import type { OwnerOptions } from './postgres/owner.ts'
import type { PostgresPlace } from './postgres/place.ts'
import { postgresState, readPostgres } from './postgres/state.ts'
import type { SqliteOptions } from './sqlite.ts'

/** State backends. A new one is tested by `test/suites/states.ts`. */
export const states = [sqliteState, postgresState] as const

/** Where the state is. */
export type StatePlace = { readonly type: 'sqlite'; readonly dataDir: string } | PostgresPlace

/** Opens the state for writing. See the backends. */
export function openStateAt(place: StatePlace, options: OwnerOptions & SqliteOptions): Promise<StateDb> {
  if (place.type === 'postgres') return postgresState.open(place, options)
  const { maxPages } = options
  return sqliteState.open(place.dataDir, maxPages ? { maxPages } : {})
}

/** Opens the state for reading only. */
export function readStateAt(place: StatePlace): StateDb {
  return place.type === 'postgres' ? readPostgres(place) : readState(place.dataDir)
}
