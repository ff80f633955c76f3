import type { Config } from '../config/config.ts'
import { environment } from '../config/env.ts'
import { httpSettings } from '../config/http.ts'
import { nodeName } from '../config/node.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { ConfigError } from '../util/errors.ts'
import { type Trusted, trustedWith } from '../util/http/http.ts'
import { Started } from '../util/started.ts'
import type { Tokens } from './accounts/tokens.ts'
import { ActiveWatch } from './active-watch.ts'
import { type NodeParts, readState, startNode, startRecord } from './node-parts.ts'
import { statePlace } from './state-place.ts'
import { sharedKey } from './workers/of-state.ts'

/** What a node needs that forwards requests to the active one. */
export interface Following {
  readonly active: Pick<ActiveWatch, 'current' | 'onLook'>
  /** Authorities to trust in addition to the usual ones, as in the connections to workers. */
  readonly trusted: Trusted
  readonly metrics: Metrics
}

/** A running node that forwards requests to the active one: one with the role api, or a standby. */
export interface ApiNode extends Following {
  readonly config: Config
  readonly node: string
  /** With which its own metrics may be read. */
  readonly tokens: Tokens
  /** What prevents it from working, one sentence each. */
  troubles(): readonly string[]
  stop(): Promise<void>
}

/** Starts a node that only forwards. Rejects with `StorageError` or `ConfigError` if that fails, with nothing left running. */
export function startApiNode(config: Config): Promise<ApiNode> {
  return started(async (steps) => {
    const node = await apiNode(config, await startNode(config, steps), steps)
    // Last, so that others learn of it when it is ready, and first to end.
    await startRecord(config, 'api', steps)
    return node
  })
}

/** What a standby needs to forward, besides the lock of the data folder and its record, which it has. */
export function startStandby(config: Config): Promise<ApiNode> {
  return started(async (steps) => apiNode(config, await readState(config, steps), steps))
}

/** Watches for the node that is active. */
export async function startFollowing(
  config: Config,
  { state, metrics }: NodeParts,
  steps: Started,
): Promise<Following & { readonly active: ActiveWatch }> {
  const place = statePlace(config)
  if (place.type !== 'postgres') throw new ConfigError('there are several nodes only with the state on a server')
  const active = await steps.step(
    'the look for the active node',
    () => ActiveWatch.start({ place, key: sharedKey(config, state) }),
    (made) => made.stop(),
  )
  return { active, metrics, trusted: trustedWith(httpSettings(config.http, environment()).ca) }
}

function started(start: (steps: Started) => Promise<ApiNode>): Promise<ApiNode> {
  return Started.all((message) => process.emitWarning(message), start)
}

async function apiNode(config: Config, parts: NodeParts, steps: Started): Promise<ApiNode> {
  const { tokens } = parts
  const following = await startFollowing(config, parts, steps)
  return {
    ...following,
    config,
    node: nodeName(config),
    get tokens() {
      return tokens.current
    },
    troubles: () => [tokens.trouble, following.active.trouble].filter((one) => one !== undefined),
    stop: () => steps.stop(),
  }
}
