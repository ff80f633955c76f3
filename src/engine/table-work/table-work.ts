import { Worker } from 'node:worker_threads'
import { TableError } from '../../stages/enrich/table.ts'
import { entryFile } from '../../util/entry.ts'
import type { JobResults, TableFiles, TableJob } from './jobs.ts'
import type { TableWorkAnswer, TableWorkData } from './table-work-thread.ts'

const ENTRY = 'engine/table-work/table-work-thread'

/** Reads and compares stored versions of tables in a separate thread, one job at a time, so that nothing else waits for it. */
export class TableWork {
  #last: Promise<unknown> = Promise.resolve()

  /** The job's result. Rejects with `TableError` if a version cannot be read, and when the signal is aborted. */
  run<J extends TableJob>(name: string, files: TableFiles, job: J, signal?: AbortSignal): Promise<JobResults[J['kind']]> {
    const result = this.#last.then(() => inThread({ name, files, job }, signal))
    this.#last = result.catch(() => {})
    return result as Promise<JobResults[J['kind']]>
  }
}

async function inThread(workerData: TableWorkData, signal: AbortSignal | undefined): Promise<unknown> {
  signal?.throwIfAborted()
  const worker = new Worker(entryFile(ENTRY), { name: 'caracal-table-work', workerData })
  // Work on earlier versions must not keep the program from ending.
  worker.unref()
  try {
    return await new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      worker.once('message', (answer: TableWorkAnswer) => {
        if ('failed' in answer) reject(new TableError(answer.failed))
        else resolve(answer.result)
      })
      worker.once('error', reject)
      worker.once('exit', (code) => reject(new TableError(`the thread that reads versions of tables has ended (${code})`)))
    })
  } finally {
    await worker.terminate()
  }
}
