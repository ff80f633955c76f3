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
 * to the hosts that the operator has listed for it.
 *
 * @throws {KeyError} if the key is missing or not meant for that host.
 */
export type ApiKeys = (name: string, url: string | URL) => ApiKey

/** A key cannot be used until the operator changes something: retrying earlier would not help. */
export class KeyError extends TableError {}

/** For use where no requests may be sent. */
export const noKeys: ApiKeys = (name) => {
  throw new KeyError(`this command cannot use the key '${name}'`)
}
