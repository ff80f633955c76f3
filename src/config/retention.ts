import { z } from 'zod'
import { glob } from '../util/glob.ts'
import { archiveSchema } from './archive.ts'

/** The lake is partitioned by week; a shorter retention would have to rewrite partitions. */
const MIN_LAKE_DAYS = 7
const MAX_LAKE_DAYS = 10_000
/** A hundred years. */
const MAX_DAYS = 36_500
const MIN_LAKE_BYTES = 64 * 1024 * 1024

const lakeDays = z.int().min(MIN_LAKE_DAYS).max(MAX_LAKE_DAYS)

/** The `retention` block. */
export const retentionSchema = z.strictObject({
  lake_days: lakeDays
    .optional()
    .describe('Days to keep rows in the lake after they were received; rows are deleted a week at a time. Default: forever.'),
  log_types: z
    .record(
      z.string().min(1).max(200),
      z.strictObject({
        days: z
          .union([lakeDays, z.literal('forever')])
          .describe('Days to keep the events and matches of this log type after they were received, or `forever`.'),
      }),
    )
    .default({})
    .describe(
      'Log types that are kept for another time than lake_days, by name, or by pattern with `*`. A name takes precedence over patterns, and of these the first that fits is used.',
    ),
  lake_max_bytes: z
    .int()
    .min(MIN_LAKE_BYTES)
    .optional()
    .describe(
      'Size limit for the lake on disk, in bytes. Above it, the oldest rows are deleted, with a system alert that names them. Default: none.',
    ),
  archive: archiveSchema
    .optional()
    .describe(
      'Where events and matches are stored as Parquet files before they are deleted from the lake by age or size. What cannot be archived is not deleted. Default: they are deleted.',
    ),
  alerts_days: z.int().min(1).max(MAX_DAYS).optional().describe('Days to keep alerts after their last event. Default: forever.'),
  deliveries_days: z
    .int()
    .min(1)
    .max(MAX_DAYS)
    .default(30)
    .describe(
      'Days to keep the records of completed deliveries. Those that created a ticket or a thread are kept as long as their alert.',
    ),
})

export type RetentionConfig = z.output<typeof retentionSchema>

/** How many days the rows of a log type are kept in the lake; `undefined`: forever. Rows without a log type: `lake_days`. */
export function lakeDaysOf({ lake_days, log_types }: RetentionConfig): (logType: string | undefined) => number | undefined {
  const entries = Object.entries(log_types).map(([name, { days }]) => ({ name, fits: glob(name), days }))
  return (logType) => {
    if (logType === undefined) return lake_days
    const exact = entries.find(({ name }) => name.toLowerCase() === logType.toLowerCase())
    const found = exact ?? entries.find(({ fits }) => fits(logType))
    if (found === undefined) return lake_days
    return found.days === 'forever' ? undefined : found.days
  }
}

/** The shortest time that anything in the lake is kept; `undefined`: everything is kept forever. */
export function shortestLakeDays({ lake_days, log_types }: RetentionConfig): number | undefined {
  const all = [lake_days, ...Object.values(log_types).map(({ days }) => days)].filter((days) => typeof days === 'number')
  return all.length === 0 ? undefined : Math.min(...all)
}
