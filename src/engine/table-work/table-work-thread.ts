import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../../util/errors.ts'
import { doJob, type JobResult, type TableFiles, type TableJob } from './jobs.ts'

/** What the thread is to do. */
export interface TableWorkData {
  readonly name: string
  readonly files: TableFiles
  readonly job: TableJob
}

/** The thread's only message. */
export type TableWorkAnswer = { readonly result: JobResult } | { readonly failed: string }

const { name, files, job } = workerData as TableWorkData

parentPort!.postMessage(
  await doJob(name, files, job).then(
    (result): TableWorkAnswer => ({ result }),
    (error): TableWorkAnswer => ({ failed: messageOf(error) }),
  ),
)
