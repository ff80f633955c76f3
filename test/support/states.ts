import { afterAll, describe } from 'vitest'
import type { StateDb } from '../../src/state/db.ts'
import { openStateAt, readStateAt, type StatePlace } from '../../src/state/index.ts'
import { hasPostgres, PostgresServer } from './postgres.ts'

/** How a test opens states of one kind. Each folder has a state of its own. */
export interface StateKind {
  readonly type: StatePlace['type']
  /** Opens the state of a folder for writing; a new one the first time. */
  open(folder: string): Promise<StateDb>
  /** Opens it for reading. */
  read(folder: string): Promise<StateDb>
  /** Where it is. */
  place(folder: string): Promise<StatePlace>
}

/** Runs tests of the state on every database that can hold it. */
export function onEachState(tests: (kind: StateKind) => void): void {
  describe('on SQLite', () => {
    tests(kindOf('sqlite', async (dataDir) => ({ type: 'sqlite', dataDir })))
  })
  describe.skipIf(!hasPostgres)('on PostgreSQL', () => {
    tests(postgresKind())
  })
}

/** States on a server that is started for the first one and stopped after the last test. */
export function postgresKind(): StateKind {
  let server: Promise<PostgresServer> | undefined
  afterAll(async () => (await server)?.stop())
  return kindOf('postgres', async () => {
    server ??= PostgresServer.start()
    return (await server).database()
  })
}

function kindOf(type: StatePlace['type'], make: (folder: string) => Promise<StatePlace>): StateKind {
  const places = new Map<string, Promise<StatePlace>>()
  const opened: StateDb[] = []
  // What a test leaves open. Before the server is stopped: hooks run from the last to the first.
  afterAll(() => Promise.all(opened.map((db) => db.destroy())))
  const place = (folder: string) => {
    const known = places.get(folder) ?? make(folder)
    places.set(folder, known)
    return known
  }
  const kept = (db: StateDb) => {
    opened.push(db)
    return db
  }
  return {
    type,
    place,
    open: async (folder) => kept(await openStateAt(await place(folder), {})),
    read: async (folder) => kept(readStateAt(await place(folder))),
  }
}
