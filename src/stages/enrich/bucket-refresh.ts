import { z } from 'zod'
import { ConfigError, NotSupported } from '../../util/errors.ts'
import { type ProviderConfig, providerSchema } from './index.ts'

/** Panther's keys under `Refresh` for content in a bucket. */
export const bucketKeys = {
  ObjectPath: z.string().optional().describe('`s3://bucket/key`; short for a Provider of type s3 with the key `aws`.'),
  RoleARN: z.string().nullish().describe('Ignored: Caracal uses the credentials of the key `aws` in the configuration.'),
  ObjectKMSKey: z.string().nullish().describe('Ignored: S3 decrypts by itself if the credentials allow it.'),
}

/** The name of the key that such definitions use: they cannot name one. */
const KEY = 'aws'

type BucketRefresh = z.output<z.ZodObject<typeof bucketKeys>>

/** The provider that `Refresh.ObjectPath` stands for; `undefined` without one. */
export function bucketProvider(
  { ObjectPath: path, RoleARN, ObjectKMSKey }: BucketRefresh,
  file: string,
): ProviderConfig | undefined {
  if (path === undefined) {
    if (RoleARN || ObjectKMSKey)
      throw new ConfigError('needs ObjectPath (s3://bucket/key) next to it', {
        file,
        path: `Refresh.${RoleARN ? 'RoleARN' : 'ObjectKMSKey'}`,
      })
    return undefined
  }
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(path) ?? []
  if (bucket === undefined)
    throw new NotSupported(`tables from ${path} (Refresh.ObjectPath), in ${file}: use s3://bucket/key, or a Provider`)
  const parsed = providerSchema.safeParse({ type: 's3', bucket, key, auth: { key: KEY } })
  if (parsed.success) return parsed.data
  throw new ConfigError(`${path}: ${parsed.error.issues[0]!.message}`, { file, path: 'Refresh.ObjectPath' })
}
