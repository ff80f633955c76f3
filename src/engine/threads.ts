import { type TransferListItem, Worker } from 'node:worker_threads'
import { entryFile } from '../util/entry.ts'
import { CaracalError, ConfigError, messageOf, rebuiltError, StorageError } from '../util/errors.ts'
import { type Calls, type Handlers, type Remote, Rpc } from '../util/rpc.ts'
import type { MakerCalls, MakerNews, MakerOptions } from './makers/maker-calls.ts'
import type { MainCalls, PipelineCalls } from './pipeline-calls.ts'
import type { PipelineThreadData } from './pipeline-thread.ts'
import type { SpoolCalls } from './spool-calls.ts'
import type { SpoolThreadData } from './spool-thread.ts'

/**
 * A thread's entry point, and its memory for young objects, 48 MiB by default. The events of a batch live until it is committed: with
 * little memory, garbage collection copies them several times, which costs a fifth of the path's time. The spool handles bytes, which are
 * outside this memory.
 */
export const THREADS = {
  spool: { entry: 'engine/spool-thread', youngMib: 12 },
  pipeline: { entry: 'engine/pipeline-thread', youngMib: 128 },
  maker: { entry: 'engine/makers/maker-thread', youngMib: 128 },
}

export interface Thread<Theirs extends Calls<Theirs>> {
  readonly rpc: Remote<Theirs>
  /** Resolves if the thread ended by itself, which is a fault. */
  readonly died: Promise<Error>
  end(): Promise<void>
}

export type MakerThread = Thread<MakerCalls>
export type PipelineThread = Thread<PipelineCalls>
export type SpoolThread = Thread<SpoolCalls>

export function startSpoolThread(data: SpoolThreadData): SpoolThread {
  return startThread<SpoolCalls>('spool', data, data.pipeline)
}

export function startPipelineThread(data: PipelineThreadData, handlers: Handlers<MainCalls>): PipelineThread {
  return startThread<PipelineCalls, MainCalls>('pipeline', data, data.spool, handlers)
}

export function startMakerThread(data: MakerOptions, handlers: Handlers<MakerNews>): MakerThread {
  return startThread<MakerCalls, MakerNews>('maker', data, data.headers.port, handlers)
}

function startThread<Theirs extends Calls<Theirs>, Ours extends Calls<Ours> = Record<never, never>>(
  name: keyof typeof THREADS,
  workerData: SpoolThreadData | PipelineThreadData | MakerOptions,
  port: TransferListItem,
  handlers?: Handlers<Ours>,
): Thread<Theirs> {
  const { entry, youngMib } = THREADS[name]
  const worker = new Worker(entryFile(entry), {
    name: `caracal-${name}`,
    workerData,
    transferList: [port],
    resourceLimits: { maxYoungGenerationSizeMb: youngMib },
  })
  const rpc = new Rpc<Theirs, Ours>(worker, handlers)
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

/** Why a thread died. An error from another thread keeps its properties but loses its class. */
function asThrown(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(messageOf(error))
  const { code } = error as Partial<CaracalError>
  const isOurs = CLASSES.has(error.name) && code !== undefined
  return isOurs ? rebuiltError(code, error.message, undefined) : error
}

/** Names of the classes whose messages are meant for users. */
const CLASSES = new Set([CaracalError, ConfigError, StorageError].map(({ name }) => name))
