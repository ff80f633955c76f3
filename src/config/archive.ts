import { z } from 'zod'
import { awsKeys, awsRegion } from '../util/aws/credentials.ts'
import { targetUrl } from '../util/http/target-url.ts'

const bucketSchema = z.strictObject({
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{1,62}$/i, 'the name of a bucket')
    .describe('The bucket.'),
  prefix: z
    .string()
    .max(512)
    .regex(/^[^\p{Cc}]*$/u, 'text without control characters')
    .default('')
    .describe('Beginning of all keys, as in caracal/production. Default: none.'),
  region: awsRegion.default('us-east-1').describe('Region of the bucket. If S3 names another, that is used.'),
  endpoint: targetUrl.optional().describe('URL of a compatible store, as in https://minio.example.com:9000. Default: AWS.'),
  path_style: z
    .boolean()
    .optional()
    .describe('Whether the bucket is part of the path rather than of the host name. Default: true if there is an `endpoint`.'),
  ...awsKeys,
})

export type ArchiveBucket = z.output<typeof bucketSchema>

/** The block `retention.archive`. */
export const archiveSchema = z
  .strictObject({
    folder: z.string().min(1).optional().describe('Folder to write to, outside of data_dir and best on another disk.'),
    s3: bucketSchema.optional().describe('Bucket of S3 or a compatible store to write to.'),
  })
  .refine(({ folder, s3 }) => (folder === undefined) !== (s3 === undefined), 'name either a `folder` or `s3`')

export type ArchiveConfig = z.output<typeof archiveSchema>
