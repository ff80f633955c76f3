import { resolve, sep } from 'node:path'
import type { ArchiveConfig } from '../../config/archive.ts'
import { ConfigError } from '../../util/errors.ts'
import type { Send } from '../../util/http/send.ts'
import type { SecretReference } from '../../util/secret.ts'
import { FolderPlace } from './folder-place.ts'
import type { ArchivePlace } from './place.ts'
import { S3Place } from './s3-place.ts'

export interface Outside {
  readonly send: Send
  readonly secret: (to: SecretReference) => string
}

/** The configured place, for people. */
export function archiveName({ folder, s3 }: ArchiveConfig): string {
  if (!s3) return resolve(folder!)
  const { bucket, prefix } = s3
  return `s3://${bucket}/${prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`}`
}

/** The configured place. Throws `ConfigError` for a folder in the data folder: it would be deleted from, and backed up, with it. */
export function openPlace({ folder, s3 }: ArchiveConfig, dataDir: string, outside: Outside): ArchivePlace {
  if (s3) return new S3Place(s3, outside)
  const path = resolve(folder!)
  if (`${path}${sep}`.startsWith(`${resolve(dataDir)}${sep}`))
    throw new ConfigError(`the folder ${path} is in data_dir: choose one elsewhere, best on another disk`, {
      path: 'retention.archive.folder',
    })
  return new FolderPlace(path)
}
