import { MessageChannel, Worker } from 'node:worker_threads'
import { entryFile } from '../util/entry.ts'
import { CaracalError, ConfigError, messageOf, rebuiltError, StorageError } from '../util/errors.ts'
import { type Handlers, Rpc } from '../util/rpc.ts'
import type { PipelineThreadData } from './pipeline-thread.ts'
import type { SpoolThreadData } from './spool-thread.ts'

/** A thread and the calls to it. */
export interface Thread {
  readonly rpc: Rpc
  /** Resolves when the thread ended by itself: a fault. */
  readonly died: Promise<Error>
  end(): Promise<void>
}

/** Starts the spool's thread and the pipeline's, joined by a channel of their own. */
export function startThreads(
  spoolData: Omit<SpoolThreadData, 'pipeline'>,
  pipelineData: Omit<PipelineThreadData, 'spool'>,
  handlers: Handlers,
): { readonly spool: Thread; readonly pipeline: Thread } {
  const { port1, port2 } = new MessageChannel()
  const spool = startThread('spool', { ...spoolData, pipeline: port1 }, port1, {})
  const pipeline = startThread('pipeline', { ...pipelineData, spool: port2 }, port2, handlers)
  return { spool, pipeline }
}

function startThread(name: 'spool' | 'pipeline', workerData: object, port: MessageChannel['port1'], handlers: Handlers): Thread {
  const worker = new Worker(entryFile(`engine/${name}-thread`), { name: `caracal-${name}`, workerData, transferList: [port] })
  const rpc = new Rpc(worker, handlers)
  const died = new Promise<Error>((resolve) => {
    worker.once('error', (thrown) => {
      const error = asThrown(thrown)
      rpc.fail(error)
      resolve(error)
    })
    worker.once('exit', (code) => {
      const error = new Error(`the ${name} thread has ended (${code})`)
      rpc.fail(error)
      resolve(error)
    })
  })
  return { rpc, died, end: async () => void (await worker.terminate()) }
}

/** What a thread died of. An error that crosses from a thread keeps its properties and loses its class. */
function asThrown(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(messageOf(error))
  const { code } = error as Partial<CaracalError>
  const isOurs = CLASSES.has(error.name) && code !== undefined
  return isOurs ? rebuiltError(code, error.message, undefined) : error
}

/** Names of the classes whose messages are meant for people. */
const CLASSES = new Set([CaracalError, ConfigError, StorageError].map(({ name }) => name))
