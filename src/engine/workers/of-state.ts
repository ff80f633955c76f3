import type { Config } from '../../config/config.ts'
import { environment } from '../../config/env.ts'
import { httpSettings } from '../../config/http.ts'
import type { StateDb } from '../../state/db.ts'
import { MISSING_MS, storedNodes } from '../../state/nodes.ts'
import { getMeta } from '../../state/sources.ts'
import { trustedWith } from '../../util/http/http.ts'
import { openedKey, SHARED_KEY } from '../accounts/shared-key.ts'
import type { Makers } from '../makers/makers.ts'
import { statePlace } from '../state-place.ts'
import { WORKER } from '../troubles.ts'
import { WorkerNodes, type WorkerNodesDeps } from './worker-nodes.ts'

interface Deps {
  readonly config: Config
  readonly db: StateDb
  readonly onTrouble: (kind: string, message: string | undefined) => void
  readonly workers?: WorkerNodesDeps['look']
}

/** The connections with all nodes that have recorded themselves as workers; not begun yet. */
export function workerNodes(makers: Makers, { config, db, onTrouble, workers }: Deps): WorkerNodes {
  const key = sharedKey(config, db)
  return new WorkerNodes({
    makers,
    look: workers ?? (async () => ({ key: await key(), workers: await workersOf(db) })),
    trusted: trustedWith(httpSettings(config.http, environment()).ca),
    onTrouble: (name, message) => onTrouble(`${WORKER}${name}`, message),
  })
}

async function workersOf(db: StateDb) {
  const nodes = await storedNodes(db)
  return nodes.flatMap(({ name, roles, address, silentMs }) =>
    roles.join() === 'worker' && silentMs < MISSING_MS ? [{ name, url: address }] : [],
  )
}

/** Reads the key that all nodes with the same state have; `undefined`: none has been active yet. */
export function sharedKey(config: Pick<Config, 'data_dir' | 'state'>, db: StateDb): () => Promise<string | undefined> {
  const place = statePlace(config)
  const password = place.type === 'postgres' ? (place.password ?? '') : ''
  // Opening it takes as long as trying a password shall take.
  let known: { readonly shared: string; readonly key: string } | undefined
  return async () => {
    const shared = await getMeta(db, SHARED_KEY)
    if (shared === undefined) return undefined
    if (known?.shared === shared) return known.key
    const key = openedKey(shared, password)
    known = key === undefined ? undefined : { shared, key }
    return key
  }
}
