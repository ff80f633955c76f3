import { z } from 'zod'
import { SEVERITIES } from '../../model/rule.ts'
import type { Definition } from '../../util/define.ts'

/** What every destination's config has beside its own keys. */
export const destinationBase = {
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9 _.-]{0,99}$/, 'letters, digits, blanks and _ . -, at most 100')
    .describe('Name of the destination; rules may choose it by this name.'),
  severities: z.array(z.enum(SEVERITIES)).default([]).describe('Alerts of these severities go here; all when empty.'),
  system: z.boolean().default(true).describe('False: alerts of Caracal about itself (type SYSTEM) do not go here.'),
} as const

/** One alert on its way out. */
export interface Delivery {
  /** The same on every try: receivers drop doubles by it. */
  readonly id: string
  readonly alertId: string
  /** The webhook body: JSON text, made when the alert was committed. */
  readonly body: string
}

/** Somewhere an alert goes. `send` may be called many times at once. */
export interface Destination {
  /**
   * Resolves when the other side has taken the alert.
   *
   * Throws `RetryLater` when another try may work, `Refused` when it will not.
   * Any other error is counted as a bug and retried like `RetryLater`.
   */
  send(delivery: Delivery, signal: AbortSignal): Promise<void>
  /** Called once, after the last `send` has settled. */
  close(): Promise<void>
}

/** What a destination may use of the outside. */
export interface DestinationDeps {
  readonly fetch: typeof fetch
  readonly now: () => number
  readonly write: (text: string) => void
  /** Resolves a secret reference (`{ env }` or `{ file }`). */
  readonly secret: (reference: { env: string } | { file: string }) => string
}

export interface DestinationDefinition<T extends string, S extends z.ZodRawShape> extends Definition<T, S> {
  create(config: z.output<z.ZodObject<S>>, deps: DestinationDeps): Promise<Destination>
}

/** Keeps the literal types of a destination's definition. */
export function defineDestination<const T extends string, S extends z.ZodRawShape>(
  definition: DestinationDefinition<T, S>,
): DestinationDefinition<T, S> {
  return definition
}
