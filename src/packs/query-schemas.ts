import { z } from 'zod'
import { MAIL_ADDRESS } from '../util/mail-address.ts'
import { strings } from './item-schemas.ts'

const queryShape = {
  QueryName: z.string().min(1).max(1000),
  /** At least one of these. */
  Query: z.string().min(1).optional(),
  AthenaQuery: z.string().min(1).optional(),
  SnowflakeQuery: z.string().min(1).optional(),
  DatabricksQuery: z.string().min(1).optional(),
  /** The lake's own SQL, which is not translated. Not a key of Panther's. */
  ClickHouseQuery: z.string().min(1).optional(),
  Description: z.string().optional(),
  Tags: strings.optional(),
  Lookback: z.boolean().optional(),
  LookbackWindowSeconds: z.int().min(0).optional(),
  BaseVersion: z.int().optional(),
}

/** `AnalysisType: saved_query`. */
export const savedQueryItem = z.strictObject({ AnalysisType: z.literal('saved_query'), ...queryShape })

const schedule = z
  .strictObject({
    RateMinutes: z.int().min(2).optional(),
    CronExpression: z.string().min(1).optional(),
    TimeoutMinutes: z.int().min(1),
  })
  .refine((when) => (when.RateMinutes === undefined) !== (when.CronExpression === undefined), {
    message: 'needs either RateMinutes or a CronExpression',
  })
  .refine((when) => when.RateMinutes === undefined || when.RateMinutes >= when.TimeoutMinutes, {
    message: 'RateMinutes must not be less than TimeoutMinutes, or runs would overlap',
  })

const email = z.strictObject({
  Recipients: z.array(z.string().regex(MAIL_ADDRESS, 'must be an e-mail address, as in soc@example.com')).max(50),
  SendEmpty: z.boolean().optional(),
  PreferAttachment: z.boolean().optional(),
})

/** `AnalysisType: scheduled_query`. */
export const scheduledQueryItem = z.strictObject({
  AnalysisType: z.literal('scheduled_query'),
  ...queryShape,
  Enabled: z.boolean(),
  Schedule: schedule,
  EmailConfig: email.optional(),
})
