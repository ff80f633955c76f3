import { z } from 'zod'
import { ALERT_TYPES } from '../../model/alert.ts'
import { ALERT_CHANGES, type AlertChange, type DeliveryKind, type OutgoingAlert } from '../../model/outgoing-alert.ts'
import { SEVERITIES } from '../../model/rule.ts'
import type { Definition } from '../../util/define.ts'
import type { Trusted } from '../../util/http/http.ts'
import type { Send } from '../../util/http/send.ts'
import type { SecretReference } from '../../util/secret.ts'

/** The `send` key. Destinations that keep incidents or tickets open until they are resolved have another default than `[opened]`. */
export function sends(byDefault: readonly AlertChange[]) {
  return z
    .array(z.enum(ALERT_CHANGES))
    .min(1)
    .default([...byDefault])
    .describe('What to send: `opened` alerts, those `updated` because they grew or became more severe, and those `resolved`.')
}

/** Config keys common to all destinations. */
export const destinationBase = {
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9 _.-]{0,99}$/, 'letters, digits, blanks and _ . -, at most 100')
    .describe('Name of the destination, by which rules can select it.'),
  severities: z.array(z.enum(SEVERITIES)).default([]).describe('Severities of the alerts to send here. If empty, all.'),
  log_types: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Log types whose alerts to send here, as in `AWS.CloudTrail`. If empty, all. Alerts without a log type are always sent.',
    ),
  alert_types: z.array(z.enum(ALERT_TYPES)).default([]).describe('Types of the alerts to send here. If empty, all.'),
  send: sends(['opened']),
  max_per_minute: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe('Messages per minute; alerts beyond it are collected in one digest message a minute. Default: no limit.'),
  system: z.boolean().default(true).describe('Whether to send alerts about Caracal itself (type SYSTEM) here.'),
} as const

/** Config keys common to destinations that people read. */
export const peopleBase = {
  ...destinationBase,
  max_per_minute: z
    .int()
    .min(1)
    .max(10_000)
    .default(30)
    .describe('Messages per minute; alerts beyond it are collected in one digest message a minute.'),
} as const

/** One alert being sent. */
export interface Delivery {
  /** The same on every attempt, so that receivers can drop duplicates. */
  readonly id: string
  /** Why it is sent. A destination that does not distinguish kinds sends all that it gets. */
  readonly kind: DeliveryKind
  readonly alert: OutgoingAlert
  /** What `send` returned when the alert was sent there before: an issue's number, a message's thread. */
  readonly reference?: string | undefined
}

/** What the receiver calls what it created, if later deliveries of the alert have to name it. */
// biome-ignore lint/suspicious/noConfusingVoidType: most destinations have nothing to return.
export type Sent = string | void

/** Somewhere an alert goes. */
export interface Destination {
  /**
   * Resolves when the other side has accepted the alert. May be called concurrently.
   *
   * Throws `RetryLater` if retrying may work, `Refused` if it will not. Any other error is treated as a bug of ours and retried
   * like `RetryLater`. Stops promptly after the signal is aborted. Error messages are shown to users: they name hosts and
   * statuses, never a secret, a full URL or what the other side sent.
   */
  send(delivery: Delivery, signal: AbortSignal): Promise<Sent>
  /** Releases everything. Called after the last `send` has settled; a second call does nothing. */
  close(): Promise<void>
}

/** What a destination can access. */
export interface DestinationDeps {
  /** Can reach any address, since the operator configured it. */
  readonly send: Send
  /** For TLS connections that do not carry HTTP. */
  readonly trusted: Trusted
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
