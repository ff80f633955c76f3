import type { Config } from '../../config/config.ts'
import { answerSideWork } from '../side-work.ts'
import { type ExplainAsk, explain } from './explain.ts'

/** What the thread is to do. */
export interface ExplainWorkData {
  readonly ask: ExplainAsk
  readonly config: Config
  readonly cacheFolder: string
}

await answerSideWork(({ ask, config, cacheFolder }: ExplainWorkData) => explain(ask, { config, cacheFolder, tell: () => {} }))
