import { z } from 'zod'
import type { DeliveryKind, OutgoingAlert } from '../../model/outgoing-alert.ts'
import { SEVERITIES } from '../../model/rule.ts'
import type { Definition } from '../../util/define.ts'
import type { Send } from '../../util/http/send.ts'
import type { SecretReference } from '../../util/secret.ts'

/** Config keys of every destination, beside its own. */
export const destinationBase = {
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9 _.-]{0,99}$/, 'letters, digits, blanks and _ . -, at most 100')
    .describe('Name of the destination, by which rules can select it.'),
  severities: z.array(z.enum(SEVERITIES)).default([]).describe('Severities of the alerts to send here. If empty, all.'),
  system: z.boolean().default(true).describe('Whether to send alerts about Caracal itself (type SYSTEM) here.'),
} as const

/** One alert on its way out. */
export interface Delivery {
  /** The same on every try: receivers drop doubles by it. */
  readonly id: string
  /** Why it is sent. A destination that makes no difference between kinds sends all of them. */
  readonly kind: DeliveryKind
  readonly alert: OutgoingAlert
}

/** Somewhere an alert goes. */
export interface Destination {
  /**
   * Resolves when the other side has taken the alert. Called many times at once.
   *
   * Throws `RetryLater` when another try may work, `Refused` when it will not. Any other error counts as a fault of ours and is
   * retried like `RetryLater`. Ends soon after the signal is aborted. Messages of errors are shown to people: they name hosts and
   * statuses, never a secret, a whole URL or what the other side sent.
   */
  send(delivery: Delivery, signal: AbortSignal): Promise<void>
  /** Lets go of everything. Called after the last `send` has settled; a second call does nothing. */
  close(): Promise<void>
}

/** What a destination may use of the outside. */
export interface DestinationDeps {
  /** Reaches any address: the operator wrote it. */
  readonly send: Send
  readonly now: () => number
  /** Prints on standard output. */
  readonly write: (text: string) => void
  /** The secret of a reference. Throws `ConfigError`, which names the reference. */
  readonly secret: (reference: SecretReference) => string
}

export interface DestinationDefinition<T extends string, S extends z.ZodRawShape> extends Definition<T, S> {
  /** True when alerts stay on this machine. */
  readonly isLocal: boolean
  /**
   * Makes the destination, with its secrets resolved; `caracal validate` does the same. Opens no connection: the other side may be
   * down. Throws `ConfigError` when it cannot work as configured.
   */
  create(config: z.output<z.ZodObject<S>>, deps: DestinationDeps): Promise<Destination>
}

/** Keeps the literal types of a destination's definition. */
export function defineDestination<const T extends string, S extends z.ZodRawShape>(
  definition: DestinationDefinition<T, S>,
): DestinationDefinition<T, S> {
  return definition
}
