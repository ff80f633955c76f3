import type { AlertType, LearnedLater } from './alert.ts'
import type { Severity } from './rule.ts'
import type { Summary } from './summary.ts'

/** What happens to an alert that destinations may be notified of; a destination's `send` lists what it wants. */
export const ALERT_CHANGES = ['opened', 'updated', 'resolved'] as const
export type AlertChange = (typeof ALERT_CHANGES)[number]

/** Why an alert is sent to a destination. `changed`: people changed its status or owner, which the destination shows. */
export const DELIVERY_KINDS = [...ALERT_CHANGES, 'changed', 'test', 'digest'] as const
export type DeliveryKind = (typeof DELIVERY_KINDS)[number]

/** What waits to be sent, in a list: also rows of a scheduled query, which are no alert. */
export const LISTED_KINDS = [...DELIVERY_KINDS, 'rows'] as const
export type ListedKind = (typeof LISTED_KINDS)[number]

/** An alert as destinations see it, without internal windows and counters. */
export interface OutgoingAlert {
  readonly alertId: string
  readonly ruleId: string
  readonly type: AlertType
  readonly severity: Severity
  readonly title: string
  /** Display name of the rule. */
  readonly name: string
  readonly description: string
  readonly reference: string
  readonly runbook: string
  readonly tags: readonly string[]
  readonly reports: Readonly<Record<string, readonly string[]>>
  readonly dedup: string
  /** Exact JSON text of the rule's context object; `{}` if it has none. Parsing it may lose digits of long numbers. */
  readonly context: string
  /** RFC 3339, UTC. */
  readonly createdTime: string
  /** RFC 3339, UTC; '' if the alert is not about an event. */
  readonly firstEventTime: string
  readonly lastEventTime: string
  readonly eventCount: number
  readonly logTypes: readonly string[]
  /** Indicator field (`p_any_ip_addresses`) → values. */
  readonly indicators: Readonly<Record<string, readonly string[]>>
  readonly sourceLabels: readonly string[]
  /** The most frequent values of the rule's summary attributes. Absent: none. */
  readonly summaries?: readonly Summary[] | undefined
  /** True if a replay found it in past events, absent if it was found live. */
  readonly retroactive?: true | undefined
  /** Absent unless a table learned of a value of the event after it was first judged. */
  readonly learned?: LearnedLater | undefined
  /** Where the alert can be read. */
  readonly link: string
}
