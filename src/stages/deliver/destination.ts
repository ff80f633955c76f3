import { z } from 'zod'
import { ALERT_TYPES } from '../../model/alert.ts'
import type { AlertProgress, WorkChange } from '../../model/alert-work.ts'
import { ALERT_CHANGES, type AlertChange, type DeliveryKind, type OutgoingAlert } from '../../model/outgoing-alert.ts'
import type { RowsMail } from '../../model/rows-mail.ts'
import { SEVERITIES } from '../../model/rule.ts'
import type { Definition } from '../../util/define.ts'
import type { Trusted } from '../../util/http/http.ts'
import type { OpenSocket } from '../../util/http/open-socket.ts'
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

/** The `send` key of destinations that create something which they end later. */
export const ticketSends = sends(['opened', 'resolved']).refine(
  (list) => list.includes('opened'),
  'without `opened` no ticket is ever created, so there is nothing to update or end: add `opened`',
)

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
  heartbeat_minutes: z
    .int()
    .min(1)
    .max(10_080)
    .optional()
    .describe('Minutes between messages that say that Caracal is alive. They are not alerts and not counted. Default: none.'),
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
  /** Of a delivery of kind `changed`: the present state. */
  readonly progress?: AlertProgress | undefined
}

/** What the receiver calls what it created, if later deliveries of the alert have to name it. */
// biome-ignore lint/suspicious/noConfusingVoidType: most destinations have nothing to return.
export type Sent = string | void

/** What a person changes about an alert where it was sent to. */
export interface ChangeThere {
  readonly alertId: string
  /** What `send` returned for the alert: nobody can change an alert by what was not sent for it. */
  readonly reference: string
  /** The person's name. */
  readonly by: string
  readonly change: WorkChange
}

/** A person snoozes an alert where it was sent to, or ends that. */
export interface SnoozeThere extends Omit<ChangeThere, 'change'> {
  /** For this time from now on, in milliseconds; `undefined`: no longer. */
  readonly forMs: number | undefined
}

/** Where a destination reports what people do there. */
export interface DestinationDesk {
  /** Mutes further matches of the alert's rule and dedup string, or ends such mutes. Resolves as `change` does. */
  snooze(ask: SnoozeThere): Promise<string | undefined>
  /** Carries out a change. Resolves with why it was not made, in the middle of a sentence for that person, or with `undefined`. */
  change(ask: ChangeThere): Promise<string | undefined>
  /** What people do there does not arrive, and why; `undefined`: it does. */
  onTrouble(message: string | undefined): void
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
  send(delivery: Delivery, signal: AbortSignal): Promise<Sent>
  /** Mails rows of a query to its own recipients, as `send` sends an alert. Absent: it sends no mail. */
  mail?(id: string, mail: RowsMail, signal: AbortSignal): Promise<void>
  /** Begins to report what people do there. Called once at most; `close` ends it. Absent: they can do nothing there. */
  listen?(desk: DestinationDesk): void
  /** Releases everything. Called after the last `send` has settled; a second call does nothing. */
  close(): Promise<void>
}

/** What a destination can access. */
export interface DestinationDeps {
  /** Can reach any address, since the operator configured it. */
  readonly send: Send
  /** Can reach any address, like `send`. */
  readonly socket: OpenSocket
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
  /** Whether what it has of an alert shows the alert's status and owner: it then gets deliveries of kind `changed`. Absent: false. */
  readonly mirrors?: (config: z.output<z.ZodObject<S>>) => boolean
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
