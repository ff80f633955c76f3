import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { Rpc } from '../util/rpc.ts'
import { Pipeline, type PipelineOptions } from './pipeline.ts'
import type { MainCalls, PipelineCalls } from './pipeline-calls.ts'

/** The pipeline thread's start arguments. */
export interface PipelineThreadData extends PipelineOptions {
  readonly spool: MessagePort
}

const { spool, ...options } = workerData as PipelineThreadData
const main = new Rpc<MainCalls, PipelineCalls>(parentPort!)
main.serve(await Pipeline.open(options, main, spool))
