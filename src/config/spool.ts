import { z } from 'zod'
import { kafkaConnection, plainLoginProblem } from '../util/kafka/connection.ts'

/** The `spool` block, by type. */
export const spoolSchema = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('sqlite') }),
    z.strictObject({
      type: z.literal('kafka'),
      brokers: kafkaConnection.brokers,
      topic_prefix: z
        .string()
        .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$/, 'letters, digits, ., _ and -, at most 100')
        .default('caracal')
        .describe(
          'The topic of a source is this, a dot, and the id of the source; also the name of the consumer group whose offsets say what was read.',
        ),
      create_topics: z
        .boolean()
        .default(true)
        .describe('Create topics that are missing. When false, a missing topic is an error that names the command to create it.'),
      replication_factor: z
        .int()
        .min(1)
        .max(15)
        .optional()
        .describe(
          "Replicas of the topics that Caracal creates; from 3 on, at least 2 of them must have a body before it is acknowledged. Default: the brokers' default.",
        ),
      tls: kafkaConnection.tls,
      sasl: kafkaConnection.sasl,
    }),
  ])
  .superRefine((spool, context) => {
    const problem = spool.type === 'kafka' ? plainLoginProblem(spool) : undefined
    if (problem) context.addIssue({ code: 'custom', path: ['sasl'], message: problem })
  })

export type SpoolConfig = z.output<typeof spoolSchema>
