import { parentPort, workerData } from 'node:worker_threads'
import type { Config } from '../../config/config.ts'
import type { Explanation } from '../../model/explanation.ts'
import { ConfigError, messageOf } from '../../util/errors.ts'
import { type ExplainAsk, explain } from './explain.ts'

/** What the thread is to do. */
export interface ExplainWorkData {
  readonly ask: ExplainAsk
  readonly config: Config
  readonly cacheFolder: string
}

/** The thread's only message. `refused`: there is no such rule or event. */
export type ExplainAnswer = { readonly explanation: Explanation } | { readonly failed: string; readonly isRefused: boolean }

const { ask, config, cacheFolder } = workerData as ExplainWorkData

parentPort!.postMessage(
  await explain(ask, { config, cacheFolder, tell: () => {} }).then(
    (explanation): ExplainAnswer => ({ explanation }),
    (error): ExplainAnswer => ({ failed: messageOf(error), isRefused: error instanceof ConfigError }),
  ),
)
