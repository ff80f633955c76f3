import { z } from 'zod'
import { targetUrl } from '../../../util/http/target-url.ts'
import { contentKeys, received } from '../content.ts'
import { defineProvider } from '../provider.ts'
import { TableError } from '../table.ts'
import { Bucket } from './bucket.ts'

/** Path segments that a URL cannot contain as such. */
const DOTS = /(?:^|\/)\.{1,2}(?:\/|$)/
const objectName = z
  .string()
  .min(1)
  .max(1024)
  .refine((name) => !DOTS.test(name), 'must not contain . or .. as a part of its path')

/** An object, or the newest of those with a prefix, as programs write that export every day. */
export const s3 = defineProvider({
  type: 's3',
  summary: 'Fetches a table from S3 or a compatible store, again whenever it changes.',
  config: z.object({
    bucket: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{1,62}$/i, 'the name of a bucket')
      .describe('The bucket.'),
    key: objectName.optional().describe('The object.'),
    prefix: objectName.optional().describe('Instead of `key`: the newest object whose key begins with this.'),
    region: z
      .string()
      .regex(/^[a-z0-9-]{1,40}$/, 'the name of a region, as in eu-central-1')
      .default('us-east-1')
      .describe('Region of the bucket. If S3 names another, that is used.'),
    endpoint: targetUrl.optional().describe('URL of a compatible store, as in https://minio.example.com:9000. Default: AWS.'),
    auth: z
      .strictObject({ key: z.string().min(1).max(64).describe('Name of a key in the configuration (`keys`).') })
      .optional()
      .describe(
        'Credentials: `user` of the key is the access key id, `value` the secret access key. Default: none, for public buckets.',
      ),
    timeout_secs: z.int().min(1).max(3600).default(60).describe('Time limit for the whole fetch, in seconds.'),
    ...contentKeys,
  }),
  example: { bucket: 'example-lists', key: 'tables/assets.csv', region: 'eu-central-1', auth: { key: 'aws' } },
  isLocal: false,
  periodMinutes: 60,

  create({ key, prefix, ...config }, { send, keys }) {
    return {
      async refresh(validators, signal) {
        if ((key === undefined) === (prefix === undefined)) throw new TableError('an s3 provider needs either `key` or `prefix`')
        const bucket = new Bucket({ ...config, send, keys, signal, endMs: Date.now() + config.timeout_secs * 1000 })
        const name = key ?? (await bucket.newest(prefix!))
        const isSame = validators['object'] === undefined || validators['object'] === name
        const object = await bucket.get(name, isSame ? validators['etag'] : undefined)
        if (object === undefined) return undefined
        if (object.body.length === 0) throw new TableError(`the object ${name} is empty`)
        const { etag } = object
        return { bytes: await received(object.body, config), validators: { object: name, ...(etag !== undefined && { etag }) } }
      },
    }
  },
})
