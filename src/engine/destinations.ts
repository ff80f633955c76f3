import { type Environment, resolveSecret } from '../config/env.ts'
import type { Destination } from '../stages/deliver/destination.ts'
import { createDestination, type DestinationConfig } from '../stages/deliver/index.ts'
import type { Http } from '../util/http/http.ts'

export interface DestinationOutlets {
  /** Where secrets are found. */
  readonly env: Environment
  /** Outgoing HTTP, and the authorities to trust for other connections. */
  readonly http: Pick<Http, 'configured' | 'socket' | 'trusted'>
  readonly write: (text: string) => void
}

/** Creates one configured destination. Throws a `ConfigError` that names it, including for a missing secret. */
export function openDestination(config: DestinationConfig, { env, http, write }: DestinationOutlets): Promise<Destination> {
  const { configured: send, socket, trusted } = http
  return createDestination(config, {
    send,
    socket,
    trusted,
    write,
    now: Date.now,
    secret: (reference) => resolveSecret(reference, env),
  })
}

/** Creates all configured destinations, by id. */
export async function openDestinations(
  configs: readonly DestinationConfig[],
  outlets: DestinationOutlets,
): Promise<ReadonlyMap<string, Destination>> {
  const made = new Map<string, Destination>()
  for (const config of configs) made.set(config.id, await openDestination(config, outlets))
  return made
}
