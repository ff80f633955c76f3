import { parentPort, workerData } from 'node:worker_threads'
import { decodeAvro, isAvro } from '../avro/decode.ts'
import { TooMuch } from './check.ts'
import { decodeParquet } from './decode.ts'
import type { ParquetJob, ParquetResult } from './parquet.ts'

/** Decodes the file that it was started with and posts the result. */
async function run(job: ParquetJob): Promise<ParquetResult> {
  try {
    return { kind: 'ok', lines: isAvro(job.bytes) ? decodeAvro(job) : await decodeParquet(job) }
  } catch (error) {
    if (error instanceof TooMuch) return { kind: 'too-much' }
    // The library's messages may quote the file.
    return { kind: 'broken', message: error instanceof Error ? error.message.slice(0, 200) : 'unknown error' }
  }
}

parentPort!.postMessage(await run(workerData as ParquetJob))
