import type { Config } from '../config/config.ts'
import { nodeName } from '../config/node.ts'
import type { StateDb } from '../state/db.ts'
import { lockDataDir } from '../state/sqlite.ts'
import { processLog } from '../telemetry/log.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import type { Started } from '../util/started.ts'
import { version } from '../util/version.ts'
import { WatchedTokens } from './accounts/watched-tokens.ts'
import { nodeRecord } from './node-record.ts'
import type { IngestRoles } from './roles.ts'
import { stateAnswers, statePlace, viewState } from './state-place.ts'
import { dataToken } from './token.ts'

/** What every node has that is never active. */
export interface NodeParts {
  readonly metrics: Metrics
  /** For reading only. */
  readonly state: StateDb
  /** Those with which it may be called. */
  readonly tokens: WatchedTokens
}

/** Starts what every such node has, with a data folder of its own. */
export async function startNode(config: Config, started: Started): Promise<NodeParts> {
  await started.step(
    'the lock of the data folder',
    () => lockDataDir(config.data_dir),
    (unlock) => unlock(),
  )
  await stateAnswers(config, processLog())
  return readState(config, started)
}

/** The same for a node that has the lock of its data folder. */
export async function readState(config: Config, started: Started): Promise<NodeParts> {
  const log = processLog()
  const metrics = createMetrics()
  metrics.setNode(nodeName(config), version())
  const state = await started.step(
    'the view of the state',
    () => viewState(config),
    (made) => made.destroy(),
  )
  const tokens = await started.step(
    'the tokens',
    () =>
      WatchedTokens.open({
        state,
        machine: dataToken(config.data_dir),
        isSecondFactorNeeded: config.sign_in.require_second_factor,
        onTrouble: (message) => log.warn(message),
      }),
    (made) => made.stop(),
  )
  return { metrics, state, tokens }
}

/** Records a node that is never active in the state. */
export async function startRecord(config: Config, roles: IngestRoles | 'worker' | 'api', started: Started): Promise<void> {
  const place = statePlace(config)
  if (place.type !== 'postgres') return
  const log = processLog()
  let unrecorded: string | undefined
  const onTrouble = (message: string | undefined) => {
    if (message !== undefined && unrecorded === undefined) log.warn(`This node cannot be recorded in the state: ${message}`)
    unrecorded = message
  }
  await started.step(
    'the record of this node',
    async () => {
      const record = nodeRecord(config, place, { roles, onTrouble })
      await record.start()
      return record
    },
    (made) => made.stop(),
  )
}
