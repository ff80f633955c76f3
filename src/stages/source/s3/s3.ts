import { z } from 'zod'
import { awsKeys, awsRegion, Credentials } from '../../../util/aws/credentials.ts'
import { targetUrl } from '../../../util/http/target-url.ts'
import { ListingFinder } from '../objects/listing-finder.ts'
import { ObjectSource } from '../objects/object-source.ts'
import { objectKeys } from '../objects/prefixes.ts'
import { takenOf } from '../objects/taken.ts'
import { defineSource, sourceBase } from '../source.ts'
import { streamKeys, streamParameters } from '../stream-keys.ts'
import { Queue } from './queue.ts'
import { QueueFinder } from './queue-finder.ts'
import { S3Store } from './s3-store.ts'

/** Objects of a bucket, found by listing it or announced by a queue. */
export const s3 = defineSource({
  type: 's3',
  summary: 'Reads objects from S3 or a compatible store as they appear, each prefix with its own log types.',
  config: z.object({
    ...sourceBase,
    ...streamKeys,
    bucket: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{1,62}$/i, 'the name of a bucket')
      .describe('The bucket.'),
    region: awsRegion.default('us-east-1').describe('Region of the bucket. If S3 names another, that is used.'),
    endpoint: targetUrl.optional().describe('URL of a compatible store, as in https://minio.example.com:9000. Default: AWS.'),
    path_style: z
      .boolean()
      .optional()
      .describe('Whether the bucket is part of the path rather than of the host name. Default: true if there is an `endpoint`.'),
    ...awsKeys,
    queue_url: targetUrl
      .optional()
      .describe(
        'URL of a queue (SQS) with notifications about new objects, which are then read as they are announced. Default: the prefixes are listed.',
      ),
    ...objectKeys,
  }),
  example: {
    id: 'bucket',
    bucket: 'example-logs',
    region: 'eu-central-1',
    prefixes: [{ prefix: 'zeek/', log_types: ['Zeek.Conn'] }],
  },
  seekable(config, deps) {
    const { bucket, region, endpoint, role_arn: arn, external_id: externalId, prefixes } = config
    const role = arn === undefined ? undefined : { arn, externalId, region, endpoint }
    const credentials = new Credentials(config.auth, role, deps.outside)
    const { send } = deps.outside
    const queueAt = (url: string) => new Queue({ url, region, send, credentials: (signal) => credentials.get(signal) })
    const store = new S3Store({
      bucket,
      region,
      endpoint,
      pathStyle: config.path_style,
      send,
      credentials: (_url, signal) => credentials.get(signal),
    })
    const taken = takenOf(config, deps.cursors)
    const { now } = deps
    const finder =
      config.queue_url === undefined
        ? new ListingFinder({ store, prefixes, taken, pollMs: config.poll_ms, now })
        : new QueueFinder({ queue: queueAt(config.queue_url), store, bucket, prefixes, taken, now })
    return new ObjectSource({
      id: config.id,
      store,
      prefixes,
      taken,
      finder,
      maxObjectBytes: config.max_object_bytes,
      stream: streamParameters(config),
      encoding: config.encoding,
      deps,
    })
  },
})
