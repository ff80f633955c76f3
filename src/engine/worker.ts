import { availableParallelism } from 'node:os'
import type { Config } from '../config/config.ts'
import { nodeName } from '../config/node.ts'
import { processLog } from '../telemetry/log.ts'
import { Started } from '../util/started.ts'
import type { Tokens } from './accounts/tokens.ts'
import { startNode, startRecord } from './node-parts.ts'
import { MakersHere } from './workers/makers-here.ts'
import { sharedKey } from './workers/of-state.ts'

/** A running node that judges for the active one. */
export interface WorkerNodeHere {
  readonly config: Config
  readonly node: string
  readonly tokens: Tokens
  /** Answers requests of the active node to switch protocols. */
  readonly upgrade: MakersHere['upgrade']
  /** Threads that judge now, and how many there may be. */
  readonly threads: { readonly busy: number; readonly max: number }
  /** What prevents it from working, one sentence each. */
  troubles(): readonly string[]
  metrics(): Promise<string>
  /** Ends all threads; what they were judging is judged elsewhere. */
  stop(): Promise<void>
}

/**
 * Starts a node that judges for the active one, which connects to it. It reads nothing and keeps nothing. Rejects with `StorageError` or
 * `ConfigError` if that fails, with nothing left running.
 */
export function startWorker(config: Config): Promise<WorkerNodeHere> {
  return Started.all(
    (message) => process.emitWarning(message),
    (started) => start(config, started),
  )
}

async function start(config: Config, started: Started): Promise<WorkerNodeHere> {
  const log = processLog()
  const { metrics, state, tokens } = await startNode(config, started)
  const max = config.workers === 'auto' ? availableParallelism() : config.workers
  const makers = await started.step(
    'the threads',
    () =>
      new MakersHere({
        threads: max,
        dataDir: config.data_dir,
        key: sharedKey(config, state),
        tell: (sentence) => log.info(sentence),
      }),
    (made) => made.stop(),
  )
  // Last, so that the active node learns of it when it is ready, and first to end.
  await startRecord(config, 'worker', started)
  return {
    config,
    node: nodeName(config),
    get tokens() {
      return tokens.current
    },
    upgrade: (request, socket, head) => makers.upgrade(request, socket, head),
    get threads() {
      return { busy: makers.running, max }
    },
    troubles: () => (tokens.trouble === undefined ? [] : [tokens.trouble]),
    metrics: async () => {
      metrics.setWorker(makers.running, makers.batches)
      return metrics.text()
    },
    stop: () => started.stop(),
  }
}
