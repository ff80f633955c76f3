import { Worker } from 'node:worker_threads'
import { entryFile } from '../entry.ts'

export interface ParquetLimits {
  /** Maximum size in bytes of the pages after decompression, and of the resulting text. */
  readonly maxBytes: number
  readonly maxRows: number
  readonly timeoutMs: number
}

export interface ParquetJob extends ParquetLimits {
  readonly bytes: Uint8Array
}

/** What the thread answers with. */
export type ParquetResult =
  | { readonly kind: 'ok'; readonly lines: Uint8Array }
  | { readonly kind: 'too-much' }
  | { readonly kind: 'broken'; readonly message: string }

/** Memory for the values of a row group, in MiB; pages are outside it. */
const HEAP_MIB = 1024

/** True if the bytes are those of a Parquet file. */
export function isParquet(bytes: Uint8Array): boolean {
  const magic = (at: number) => Buffer.from(bytes.subarray(at, at + 4)).toString('latin1') === 'PAR1'
  return bytes.length >= 12 && magic(0) && magic(bytes.length - 4)
}

/**
 * The rows of a Parquet file, or the values in an object container of Avro, as lines of JSON, integers of 64 bits exact. Decoded in a thread: a row group is decoded at once, and a
 * file can be made so that the decoder needs unlimited time or memory.
 */
export async function parquetLines(bytes: Uint8Array, limits: ParquetLimits): Promise<ParquetResult> {
  const worker = new Worker(entryFile('util/parquet/parquet-thread'), {
    name: 'caracal-parquet',
    workerData: { bytes, ...limits } satisfies ParquetJob,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  })
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<ParquetResult>((resolve) => {
      const broken = (message: string) => resolve({ kind: 'broken', message })
      timer = setTimeout(() => broken(`decoding takes longer than ${limits.timeoutMs} ms`), limits.timeoutMs)
      worker.once('message', resolve)
      worker.once('error', ({ code }: NodeJS.ErrnoException) =>
        code === 'ERR_WORKER_OUT_OF_MEMORY' ? resolve({ kind: 'too-much' }) : broken('the decoder failed'),
      )
      worker.once('exit', () => broken('the decoder ended'))
    })
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}
