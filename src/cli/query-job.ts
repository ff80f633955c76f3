import type { z } from 'zod'
import type { queryJobSchema } from '../api/query-view.ts'
import type { Client } from './client.ts'
import type { Io } from './io.ts'
import { counted } from './style.ts'

export type Job = z.output<typeof queryJobSchema>

const WAIT_MS = 2000

/** Waits until a query has ended; on a terminal it says meanwhile how far it is. */
export async function ended(client: Client, begun: Job, io: Io, signal: AbortSignal): Promise<Job> {
  let job = begun
  while (job.state === 'waiting' || job.state === 'running') {
    job = await client.json<Job>(`/api/v1/queries/${job.id}?wait_ms=${WAIT_MS}`, { signal })
    if (io.isTty && job.state === 'running' && job.rows_read) io.err(`\r${progressText(job)}`)
  }
  return job
}

function progressText({ rows_read, rows_total }: Job): string {
  const share = rows_total ? ` (${Math.min(99, Math.floor((100 * rows_read!) / rows_total))} %)` : ''
  return `${counted(rows_read!, 'row')} read${share} `
}
