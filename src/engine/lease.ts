import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { nodeName } from '../config/node.ts'
import type { ActiveNode } from '../model/node.ts'
import { systemProblem } from '../model/system-problem.ts'
import { OWNER_FILE } from '../stages/store/clickhouse/owner.ts'
import { Lease } from '../state/postgres/lease.ts'
import type { NodeRecord } from '../state/postgres/node-record.ts'
import type { Log } from '../telemetry/log.ts'
import { messageOf, StorageError } from '../util/errors.ts'
import { sharedSignInKey } from './accounts/shared-key.ts'
import { signInKey } from './accounts/sign-in-key.ts'
import type { Events } from './events.ts'
import { nodeRecord } from './node-record.ts'
import { isOnServers } from './on-servers.ts'
import { ROLES } from './roles.ts'
import { statePlace } from './state-place.ts'

/** Key in `meta`: the id that the lake knows its owner by. */
export const LAKE_OWNER = 'lake_owner'

/** The state's `meta`. */
interface Meta {
  readonly getMeta: (key: string) => Promise<string | undefined>
  readonly setMeta: (key: string, value: string) => Promise<void>
}

/** What the active process may rely on, and what the next one needs to know of it. */
export interface Active {
  /** A value of the state's `meta`, before the state is opened; always `undefined` if the state is in the data folder. */
  readonly meta: (key: string) => Promise<string | undefined>
  /** Resolves while this process is the active one; rejects with `StorageError` if another one may be. */
  readonly sure: () => Promise<void>
  /** Records for whoever takes over by which id the lake knows its owner. */
  readonly shareOwner: (meta: Meta) => Promise<void>
  /** The key that signs cookies. */
  readonly signInKey: (meta: Meta) => Promise<string>
  readonly release: () => Promise<void>
}

interface LeaseDeps {
  readonly log: Log
  readonly events: Pick<Events, 'problems' | 'setFailed'>
  readonly isSparing: boolean | undefined
  /** Called while another process is active. */
  readonly onStandby: ((active: ActiveNode) => void) | undefined
  readonly signal: AbortSignal | undefined
}

/**
 * Resolves when this process may be the active one: at once if its state, spool or lake is in the data folder, whose lock it has; otherwise
 * when no other process is. Rejects with `StorageError` if the state's server cannot be used.
 */
export async function takeLease(config: Config, { log, events, isSparing, onStandby, signal }: LeaseDeps): Promise<Active> {
  const { data_dir: dataDir } = config
  const place = statePlace(config)
  if (!isOnServers(config) || place.type !== 'postgres')
    return {
      meta: async () => undefined,
      sure: async () => {},
      shareOwner: async () => {},
      signInKey: async () => signInKey(dataDir),
      release: async () => {},
    }
  let isWaiting = false
  const record = nodeRecord(config, place, { roles: 'standby', onTrouble: (message) => reportNode(events, message) })
  await record.start()
  const lease = await takenOr(
    record,
    Lease.take(place, {
      node: nodeName(config),
      signal,
      onWait: (active) => {
        isWaiting = true
        log.info(
          { active: active.node, url: active.url },
          `Standby: ${active.node} is the active node. This one takes over when it ends.`,
        )
        onStandby?.(active)
      },
      onTrouble: (message) => {
        if (isWaiting && message !== undefined)
          log.warn(`The state's database cannot be reached while this node waits: ${message}`)
        events.problems.report('lease', message === undefined ? [] : [systemProblem('PathStuck', 'lease', message)])
      },
      onTaken: (error) => events.setFailed(error),
    }),
  )
  if (isWaiting) log.info('The active node has ended: this one takes over.')
  isWaiting = false
  const owner = await lease.meta(LAKE_OWNER)
  if (owner !== undefined) writeOwner(dataDir, owner)
  return {
    meta: (key) => lease.meta(key),
    sure: () => lease.sure(),
    shareOwner: async ({ getMeta, setMeta }) => {
      await record.become(ROLES.filter((role) => !isSparing || role !== 'worker').join())
      const own = readFileSync(join(dataDir, OWNER_FILE), 'utf8').trim()
      if ((await getMeta(LAKE_OWNER)) !== own) await setMeta(LAKE_OWNER, own)
    },
    signInKey: (meta) => sharedSignInKey({ dataDir, password: place.password ?? '', ...meta }),
    release: async () => {
      await record.stop()
      await lease.release()
    },
  }
}

async function takenOr(record: NodeRecord, lease: Promise<Lease>): Promise<Lease> {
  try {
    return await lease
  } catch (error) {
    await record.stop()
    throw error
  }
}

function reportNode({ problems }: LeaseDeps['events'], message: string | undefined): void {
  const text = `This node cannot be recorded in the state: ${message}`
  problems.report('node', message === undefined ? [] : [systemProblem('NodeMissing', 'this node', text)])
}

/** Lets this data folder open the lake as the one before it did. */
function writeOwner(dataDir: string, owner: string): void {
  const file = join(dataDir, OWNER_FILE)
  try {
    writeFileSync(file, `${owner}\n`, { mode: 0o600 })
  } catch (error) {
    throw new StorageError(`${file} cannot be written: ${messageOf(error)}. Is the disk full?`, { cause: error })
  }
}
