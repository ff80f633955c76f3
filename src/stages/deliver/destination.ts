import { z } from 'zod'
import type { DeliveryKind, OutgoingAlert } from '../../model/outgoing-alert.ts'
import { SEVERITIES } from '../../model/rule.ts'
import type { Definition } from '../../util/define.ts'
import type { Send } from '../../util/http/send.ts'
import type { SecretReference } from '../../util/secret.ts'

/** Config keys common to all destinations. */
export const destinationBase = {
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9 _.-]{0,99}$/, 'letters, digits, blanks and _ . -, at most 100')
    .describe('Name of the destination, by which rules can select it.'),
  severities: z.array(z.enum(SEVERITIES)).default([]).describe('Severities of the alerts to send here. If empty, all.'),
  system: z.boolean().default(true).describe('Whether to send alerts about Caracal itself (type SYSTEM) here.'),
} as const

/** One alert being sent. */
export interface Delivery {
  /** The same on every attempt, so that receivers can drop duplicates. */
  readonly id: string
  /** Why it is sent. A destination that does not distinguish kinds sends all of them. */
  readonly kind: DeliveryKind
  readonly alert: OutgoingAlert
}

/** Somewhere an alert goes. */
export interface Destination {
  /**
   * Resolves when the other side has accepted the alert. May be called concurrently.
   *
   * Throws `RetryLater` if retrying may work, `Refused` if it will not. Any other error is treated as a bug of ours and retried
   * like `RetryLater`. Stops promptly after the signal is aborted. Error messages are shown to users: they name hosts and
   * statuses, never a secret, a full URL or what the other side sent.
   */
  send(delivery: Delivery, signal: AbortSignal): Promise<void>
  /** Releases everything. Called after the last `send` has settled; a second call does nothing. */
  close(): Promise<void>
}

/** What a destination can access. */
export interface DestinationDeps {
  /** Can reach any address, since the operator configured it. */
  readonly send: Send
  readonly now: () => number
  /** Prints on standard output. */
  readonly write: (text: string) => void
  /** Resolves a reference to a secret. Throws `ConfigError`, which names the reference. */
  readonly secret: (reference: SecretReference) => string
}

export interface DestinationDefinition<T extends string, S extends z.ZodRawShape> extends Definition<T, S> {
  /** True if alerts stay on this machine. */
  readonly isLocal: boolean
  /**
   * Creates the destination and resolves its secrets; `caracal validate` does the same. Opens no connection, since the other side
   * may be down. Throws `ConfigError` if it cannot work as configured.
   */
  create(config: z.output<z.ZodObject<S>>, deps: DestinationDeps): Promise<Destination>
}

/** Keeps the literal types of a destination's definition. */
export function defineDestination<const T extends string, S extends z.ZodRawShape>(
  definition: DestinationDefinition<T, S>,
): DestinationDefinition<T, S> {
  return definition
}
