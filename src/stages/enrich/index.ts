import { type ConfigOf, find, oneOf } from '../../util/define.ts'
import { dbip } from './feeds/dbip.ts'
import { entra } from './feeds/entra.ts'
import { googleWorkspace } from './feeds/google-workspace.ts'
import { greynoise } from './feeds/greynoise.ts'
import { ldap } from './feeds/ldap.ts'
import { misp } from './feeds/misp.ts'
import { okta } from './feeds/okta.ts'
import { otx } from './feeds/otx.ts'
import { file } from './file.ts'
import { live } from './live/live.ts'
import type { Provider, ProviderDeps } from './provider.ts'
import { query } from './query.ts'
import { s3 } from './s3/s3.ts'
import { taxii } from './taxii/taxii.ts'
import { url } from './url.ts'

/** Built-in providers. A new one is one file in this folder and one name here. */
export const providers = [
  file,
  url,
  s3,
  taxii,
  live,
  greynoise,
  otx,
  misp,
  okta,
  googleWorkspace,
  entra,
  ldap,
  dbip,
  query,
] as const

export type ProviderConfig = ConfigOf<(typeof providers)[number]>

/** The schema of a `Provider:` block. */
export const providerSchema = oneOf('provider', providers)

/** A provider's definition by its type. */
export function providerDefinition(type: string): (typeof providers)[number] {
  return find('provider', providers, type)
}

/** Creates the provider that a `Provider:` block describes. */
export function createProvider(config: ProviderConfig, deps: ProviderDeps): Provider {
  const { create } = providerDefinition(config.type) as { create(config: ProviderConfig, deps: ProviderDeps): Provider }
  return create(config, deps)
}
