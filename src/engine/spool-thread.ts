import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { Rpc } from '../util/rpc.ts'
import type { SpoolCalls, SpoolNews, SpoolReads } from './spool-calls.ts'
import { SpoolServer, type SpoolServerOptions } from './spool-server.ts'

/** The spool thread's start arguments. */
export interface SpoolThreadData extends SpoolServerOptions {
  /** The pipeline's end of the spool. */
  readonly pipeline: MessagePort
}

const { pipeline, ...options } = workerData as SpoolThreadData
const main = new Rpc<Record<never, never>, SpoolCalls>(parentPort!)
const reader = new Rpc<SpoolNews, SpoolReads>(pipeline)
const server = new SpoolServer(options, reader)
main.serve(server.calls)
reader.serve(server.reads)
