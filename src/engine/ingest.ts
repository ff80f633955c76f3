import { MessageChannel } from 'node:worker_threads'
import type { Config } from '../config/config.ts'
import { environment } from '../config/env.ts'
import { httpSettings } from '../config/http.ts'
import { nodeName } from '../config/node.ts'
import { createHttp } from '../util/http/http.ts'
import { Started } from '../util/started.ts'
import type { Tokens } from './accounts/tokens.ts'
import { type Following, startFollowing } from './api-node.ts'
import type { Engine } from './engine.ts'
import { spoolOptions } from './kafka-spool.ts'
import { startNode, startRecord } from './node-parts.ts'
import type { IngestRoles } from './roles.ts'
import { Intakes } from './settings/intakes.ts'
import { LiveSettings } from './settings/live-settings.ts'
import { startSpoolThread } from './threads.ts'

/** A running node that receives. */
export interface IngestNode extends Pick<Engine, 'config' | 'intakes'> {
  readonly node: string
  readonly roles: readonly string[]
  /** What it needs to forward other requests; `undefined`: it does not have the role api. */
  readonly following: Following | undefined
  /** Those of the state; without it, only the data folder's. */
  readonly tokens: Tokens
  /** What prevents it from receiving, one sentence each. */
  troubles(): Promise<readonly string[]>
  metrics(): Promise<string>
  /** Resolves if it cannot continue. */
  readonly failed: Promise<Error>
  /** Stops receiving; what was acknowledged is in the spool. */
  stop(): Promise<void>
}

/**
 * Starts the receivers of push sources, which append to the spool, and nothing else: another node reads it. Rejects with `StorageError` or
 * `ConfigError` if that fails, with nothing left running.
 */
export function startIngest(config: Config, roles: IngestRoles): Promise<IngestNode> {
  return Started.all(
    (message) => process.emitWarning(message),
    (started) => start(config, roles, started),
  )
}

async function start(config: Config, roles: IngestRoles, started: Started): Promise<IngestNode> {
  const parts = await startNode(config, started)
  const { metrics, tokens } = parts
  const following = roles === 'ingest' ? undefined : await startFollowing(config, parts, started)
  const http = await started.step(
    'outgoing HTTP',
    () => createHttp(httpSettings(config.http, environment())),
    (made) => made.close(),
  )
  // Nothing is read here: news of what was appended go nowhere.
  const { port1, port2 } = new MessageChannel()
  const spool = await started.step(
    'the spool',
    () => startSpoolThread({ ...spoolOptions(config), pipeline: port1 }),
    async ({ rpc, end }) => {
      await rpc.call('close').catch(() => {})
      await end()
      port2.close()
    },
  )
  await Promise.race([spool.rpc.call('bytes'), spool.died.then((error) => Promise.reject(error))])
  await startRecord(config, roles, started)
  const { sources } = new LiveSettings(config, undefined)
  const intakes = await started.step(
    'the intakes',
    () => Intakes.open(sources, { spool, tokens, send: http.configured }),
    (made) => made.closeAll(),
  )
  return {
    config,
    node: nodeName(config),
    roles: roles.split(','),
    following,
    get tokens() {
      return tokens.current
    },
    intakes: intakes.running,
    troubles: async () => {
      const own = await spool.rpc.call('trouble')
      return [own, tokens.trouble].filter((one) => one !== undefined)
    },
    metrics: async () => {
      metrics.setSpoolBytes(await spool.rpc.call('bytesBySource'))
      return metrics.text()
    },
    failed: spool.died,
    stop: () => started.stop(),
  }
}
