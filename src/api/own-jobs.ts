import type { Engine } from '../engine/engine.ts'
import type { OwnJobs } from '../engine/queries/jobs.ts'
import { currentCaller } from './access/caller.ts'

/** The queries of the current caller. */
export function ownJobs(engine: Engine): OwnJobs {
  const { kind, name, logTypes, session, tokenId } = currentCaller()!
  return engine.jobs({ kind, name, userId: session?.userId, tokenId, logTypes })
}
