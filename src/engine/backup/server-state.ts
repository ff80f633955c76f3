import type { Config } from '../../config/config.ts'
import { Refused } from '../../util/errors.ts'

/** Throws `Refused` if the state is in the database of a server, which is backed up with the server's own means. */
export function refuseServerState(type: Config['state']['type']): void {
  if (type === 'sqlite') return
  throw new Refused(
    'the state is in a database of PostgreSQL, which `caracal backup` and `caracal restore` do not copy. Stop Caracal, dump the database with pg_dump, and copy the data folder (docs/state.md)',
  )
}
