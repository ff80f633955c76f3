import { z } from 'zod'
import { cronProblem, longestGap } from '../../util/cron.ts'
import { ConfigError } from '../../util/errors.ts'
import { bucketKeys } from './bucket-refresh.ts'

const MINUTES = z.int().min(1).max(525_600)

/** `Refresh` in a table's YAML. */
export const refreshSchema = z.strictObject({
  ...bucketKeys,
  PeriodMinutes: MINUTES.optional().describe('How often to fetch from the provider.'),
  CronExpression: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('When to fetch from the provider instead: five fields, in UTC, as in `0 6 * * *`.'),
  AlarmPeriodMinutes: MINUTES.optional().describe(
    'Age after which the content is shown as stale. Default: three refresh periods.',
  ),
})

/** When a table is refreshed, or at least how often, in minutes. Throws `ConfigError` if that cannot be. */
export function readPeriod(
  refresh: z.output<typeof refreshSchema> | undefined,
  fallback: number,
  file: string,
): { readonly cron: string | undefined; readonly period: number } {
  const { CronExpression: cron, PeriodMinutes: minutes } = refresh ?? {}
  if (cron === undefined) return { cron, period: minutes ?? fallback }
  const at = { file, path: 'Refresh.CronExpression' }
  if (minutes !== undefined) throw new ConfigError('says when to refresh, and so does PeriodMinutes: remove one', at)
  const problem = cronProblem(cron)
  if (problem !== undefined) throw new ConfigError(problem, at)
  return { cron, period: longestGap(cron) }
}
