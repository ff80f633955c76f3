import { z } from 'zod'
import { JOB_STATES, type QueryJob } from '../model/query-job.ts'
import type { QueryProgress } from '../stages/store/lake.ts'

const time = z.string().describe('RFC 3339, UTC.')

export const translatedSchema = z
  .object({
    sql: z.string().describe('The ClickHouse SQL that ran.'),
    notes: z.array(z.string()).describe('Where the result may differ from that in Snowflake.'),
  })
  .describe("Present if the query was translated from Snowflake's dialect.")

export const columnsSchema = z.array(z.object({ name: z.string(), type: z.string() }))

export const queryJobSchema = z.object({
  id: z.string(),
  sql: z.string(),
  state: z.enum(JOB_STATES),
  created_time: time,
  started_time: time.nullable(),
  ended_time: time.nullable(),
  elapsed_ms: z.number().describe('How long the lake took; until it has ended, the time since it started.'),
  error: z.string().nullable().describe('Why it has failed.'),
  columns: columnsSchema.nullable(),
  rows: z.int().nullable().describe('Rows of the result.'),
  bytes: z.int().nullable().describe('Size of the stored result.'),
  truncated: z.boolean().nullable().describe('True if there were more rows.'),
  rows_read: z.int().nullable().describe('Stored rows read for it, so far if it runs.'),
  bytes_read: z.int().nullable().describe('Their size in bytes, uncompressed.'),
  rows_total: z.int().nullable().describe("Of a running query: the engine's estimate of all rows that it will read."),
  has_result: z.boolean().describe('False if there is no result, or not any more.'),
  translated: translatedSchema.optional(),
})

/** A query for the API. */
export function queryJobView(job: QueryJob, progress: QueryProgress | undefined, nowMs: number): z.output<typeof queryJobSchema> {
  const { startedMs, endedMs } = job
  return {
    id: job.id,
    sql: job.sql,
    state: job.state,
    created_time: new Date(job.createdMs).toISOString(),
    started_time: timeOf(startedMs),
    ended_time: timeOf(endedMs),
    elapsed_ms: job.ms ?? (startedMs === undefined ? 0 : Math.max(0, (endedMs ?? nowMs) - startedMs)),
    error: job.error ?? null,
    columns: job.columns ? [...job.columns] : null,
    rows: job.rows ?? null,
    bytes: job.bytes ?? null,
    truncated: job.truncated ?? null,
    rows_read: job.rowsRead ?? progress?.rowsRead ?? null,
    bytes_read: job.bytesRead ?? progress?.bytesRead ?? null,
    rows_total: progress?.rowsTotal ?? null,
    has_result: job.state === 'done' && !job.isGone,
    ...(job.translated && { translated: { sql: job.translated.sql, notes: [...job.translated.notes] } }),
  }
}

function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}
