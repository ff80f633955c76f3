import { z } from 'zod'
import { awsKeys, awsRegion, Credentials } from '../../../util/aws/credentials.ts'
import { targetUrl } from '../../../util/http/target-url.ts'
import { Queue, regionOf } from '../s3/queue.ts'
import { defineSource, sourceBase } from '../source.ts'
import { streamKeys, streamParameters } from '../stream-keys.ts'
import { SqsIntake } from './sqs-intake.ts'

const { encoding: _, ...stream } = streamKeys

/** Messages of a queue that are records themselves. For objects that a queue announces there is `s3` with `queue_url`. */
export const sqs = defineSource({
  type: 'sqs',
  summary: 'Receives records from a queue of Amazon SQS or a compatible service, sent there directly or through SNS.',
  config: z.object({
    ...sourceBase,
    ...stream,
    queue_url: targetUrl
      .refine((url) => new URL(url).pathname.length > 1, {
        error: 'the URL of a queue, as in https://sqs.eu-central-1.amazonaws.com/123456789012/example-logs',
      })
      .describe('URL of the queue.'),
    region: awsRegion.default('us-east-1').describe('Region of the queue, if the host name of `queue_url` does not show it.'),
    ...awsKeys,
  }),
  example: { id: 'queue', queue_url: 'https://sqs.eu-central-1.amazonaws.com/123456789012/example-logs' },
  pushes(config, deps) {
    const { queue_url: url, role_arn: arn, external_id: externalId } = config
    const host = new URL(url)
    const region = regionOf(host) ?? config.region
    // A compatible service assumes roles itself.
    const endpoint = /\.amazonaws\.com(\.cn)?$/.test(host.hostname) ? undefined : host.origin
    const role = arn === undefined ? undefined : { arn, externalId, region, endpoint }
    const credentials = new Credentials(config.auth, role, deps)
    const queue = new Queue({ url, region, send: deps.send, credentials: (signal) => credentials.get(signal) })
    return new SqsIntake({ queue, stream: streamParameters(config), deps })
  },
})
