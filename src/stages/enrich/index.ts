import { type ConfigOf, find, oneOf } from '../../util/define.ts'
import { file } from './file.ts'
import { live } from './live/live.ts'
import type { Provider, ProviderDeps } from './provider.ts'
import { s3 } from './s3/s3.ts'
import { url } from './url.ts'

/** Built-in providers. A new one is one file in this folder and one name here. */
export const providers = [file, url, s3, live] as const

export type ProviderConfig = ConfigOf<(typeof providers)[number]>

/** The schema of a `Provider:` block. */
export const providerSchema = oneOf('provider', providers)

/** A provider's definition by its type. */
export function providerDefinition(type: string): (typeof providers)[number] {
  return find('provider', providers, type)
}

/** Creates the provider that a `Provider:` block describes. */
export function createProvider(config: ProviderConfig, deps: ProviderDeps): Provider {
  switch (config.type) {
    case 'file':
      return file.create(config, deps)
    case 'url':
      return url.create(config, deps)
    case 's3':
      return s3.create(config, deps)
    case 'live':
      return live.create(config, deps)
  }
}
