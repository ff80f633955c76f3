import { TableError } from './table.ts'

/** What a provider proves its identity with. */
export interface ApiKey {
  /** Account or user name that belongs to the secret, for services that need both. */
  readonly user: string | undefined
  readonly secret: string
  /** Token of temporary credentials. */
  readonly session?: string | undefined
}

/**
 * The key of this name, for a request to `url`. Table definitions may come from third parties: they only name keys, and each key is bound
 * to the hosts that the operator has listed for it. `user`: what the service calls the user that belongs to the secret, for advice.
 *
 * @throws {KeyError} if the key is missing or not meant for that host.
 */
export type ApiKeys = (name: string, url: string | URL, user?: string) => ApiKey

/** The same for a service that needs a user, too. Throws `KeyError` if the key has none. */
export function keyWithUser(keys: ApiKeys, name: string, url: string | URL, what: string): ApiKey & { readonly user: string } {
  const { user, ...key } = keys(name, url, what)
  if (user === undefined) throw new KeyError(`the key '${name}' has no user: write ${what} as keys.${name}.user in caracal.yml`)
  return { ...key, user }
}

/** A key cannot be used until the operator changes something: retrying earlier would not help. */
export class KeyError extends TableError {}

/** For use where no requests may be sent. */
export const noKeys: ApiKeys = (name) => {
  throw new KeyError(`this command cannot use the key '${name}'`)
}
