import { parentPort } from 'node:worker_threads'
import { CaracalError, messageOf, StorageError } from '../../util/errors.ts'
import { Rpc } from '../../util/rpc.ts'
import { copyDatabases, copyRest } from './contents.ts'
import type { CopyCalls, CopyNews } from './copy-calls.ts'

/** Copies files, which would hold up the main thread. */
const main = new Rpc<CopyNews, CopyCalls>(parentPort!)

const REPORT_MS = 200
let files = 0
let bytes = 0
let reportedMs = 0

function copied(size: number): void {
  files++
  bytes += size
  const now = performance.now()
  if (now - reportedMs < REPORT_MS) return
  reportedMs = now
  report()
}

function report(): void {
  main.call('copied', { files, bytes }).catch(() => {})
  files = 0
  bytes = 0
}

/** The other side can only tell our errors from bugs by their class. */
async function storing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof CaracalError || !(error instanceof Error && 'syscall' in error)) throw error
    throw new StorageError(messageOf(error), { cause: error })
  }
}

main.serve({
  databases: ({ dataDir, to }) => storing(copyDatabases(dataDir, to)),
  rest: async ({ dataDir, lake, to }) => {
    const all = await storing(copyRest(dataDir, lake, to, copied))
    report()
    return all
  },
})
