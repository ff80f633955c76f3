import type { Session } from './session.ts'

/** The first half of the names of locks; the other half is the schema, so that schemas of one database can each have a state. */
export const LOCKS = {
  /** Held by the session that writes the state. */
  state: 0x43_41_52_41,
  /** Held by the process that is active; others wait for it. */
  active: 0x43_41_52_4c,
} as const
/** Held by the process that a row of `nodes` is about, one for each name. */
const NODE = 0x43_41_52_4e

/** A session that holds a lock, in words of the server. */
export interface LockHolder {
  readonly pid: number
  /** Process ids come again; with this, they do not. */
  readonly started: string
  /** From where it is connected. */
  readonly address: string
  /** What it calls itself. */
  readonly name: string
  /** Milliseconds since the session's last statement; `undefined` if the server does not say. */
  readonly silentMs: number | undefined
}

/** SQL of a lock's name. */
export function lockSql(lock: keyof typeof LOCKS): string {
  return `${LOCKS[lock]}, hashtext(current_schema())`
}

/** SQL of the name of a node's lock; the node's name is the first parameter. */
export const NODE_LOCK_SQL = `${NODE}, hashtext(current_schema() || '.' || $1)`

/** Who holds a lock; `undefined`: nobody. */
export async function lockHolder(session: Session, lock: keyof typeof LOCKS): Promise<LockHolder | undefined> {
  const { rows } = await session.query(
    `SELECT pid, coalesce(host(client_addr), 'this machine') AS address, backend_start::text AS started, application_name AS name,
      (extract(epoch FROM clock_timestamp() - greatest(query_start, state_change)) * 1000)::float8 AS silent
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (classid::bigint, objid::bigint) = (SELECT a::bigint, b::bigint & 4294967295 FROM (VALUES (${lockSql(lock)})) AS key (a, b))`,
    [],
  )
  const found = rows[0] as { pid: number; address: string; started: string; name: string; silent: number | null } | undefined
  return found && { ...found, silentMs: found.silent ?? undefined }
}

/** Ends a session on the server, with what it has begun. */
export async function endSession(session: Session, { pid, started }: Pick<LockHolder, 'pid' | 'started'>): Promise<void> {
  await session.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1::int AND backend_start::text = $2', [
    pid,
    started,
  ])
}
