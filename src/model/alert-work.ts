import type { AlertStatus } from './alert.ts'
import type { DeliveryKind } from './outgoing-alert.ts'
import type { Severity } from './rule.ts'

/** Whether an alert was worth raising. */
export const ALERT_QUALITIES = ['USEFUL', 'NOISE'] as const
export type AlertQuality = (typeof ALERT_QUALITIES)[number]

/** Maximum number of characters of a reason, and of an owner's name. */
export const MAX_REASON_CHARS = 1000
export const MAX_OWNER_CHARS = 200
export const MAX_COMMENT_CHARS = 10_000
/** Maximum number of comments on one alert, and of its context tags. */
export const MAX_COMMENTS = 1000
export const MAX_CONTEXT_TAGS = 50
/** The tags that people give alerts, as Panther allows them. */
export const CONTEXT_TAG = /^[a-z0-9_-]{1,30}$/

/** In place of the id of another alert, for callers who may not see that one. */
export const HIDDEN_ALERT = 'hidden'

/** A legal hold: the alert and everything about it is kept until it is released. */
export interface AlertHold {
  readonly reason: string
  readonly by: string
  /** Epoch ms. */
  readonly sinceMs: number
}

/** A hold that begins, or ends. */
export interface HoldChange {
  readonly held: boolean
  readonly reason: string
}

export type HoldOutcome = 'changed' | 'unchanged' | 'not_found'

/** What people have recorded about an alert. */
export interface AlertWork {
  readonly status: AlertStatus
  /** Why it was resolved or closed. */
  readonly reason: string | null
  readonly quality: AlertQuality | null
  /** The name of the person who works on it. */
  readonly owner: string | null
  /** Sorted. */
  readonly contextTags: readonly string[]
  /** Counts changes of these values, so that one person's edit does not overwrite another's. */
  readonly version: number
  /** The alert that this one was merged into. */
  readonly mergedInto: string | null
}

/** What people have done about an alert, for those who see it elsewhere. */
export interface AlertProgress extends Pick<AlertWork, 'status' | 'reason' | 'owner'> {
  /** Who made the last change; '' if that was a match which opened it again. */
  readonly by: string
  /** Until when it is snoozed, epoch ms. Absent: it is not. */
  readonly snoozedUntilMs?: number
}

/** True once people have ended an alert. */
export function isOver({ status }: { readonly status?: AlertStatus | undefined }): boolean {
  return status === 'RESOLVED' || status === 'CLOSED'
}

/** What to change about an alert. What is absent stays. */
export interface WorkChange {
  readonly status?: AlertStatus
  readonly reason?: string | null
  readonly quality?: AlertQuality | null
  readonly owner?: string | null
  readonly addTags?: readonly string[]
  readonly removeTags?: readonly string[]
}

/** Maximum number of alerts that one call changes. */
export const MAX_CHANGED = 1000

/** The outcome of a change, by alert. */
export const CHANGE_OUTCOMES = [
  'changed',
  /** It already was as requested. */
  'unchanged',
  'not_found',
  /** It has another version than the caller expected. */
  'conflict',
  /** Its status is that of the alert it was merged into. */
  'merged',
  /** It would have too many tags. */
  'too_many',
  /** Its status would be that of alerts merged into it, and who asked may not see all of those. */
  'hidden',
] as const
export type ChangeOutcome = (typeof CHANGE_OUTCOMES)[number]

export interface ChangeResult {
  readonly alertId: string
  readonly outcome: ChangeOutcome
}

/** Maximum number of alerts that are merged into one. */
export const MAX_MERGED = 200

/** The outcome of a merge. Unless it is done, nothing was merged, because of the alert with this id. */
export type MergeOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'not_found' | 'itself'; readonly alertId: string }
  | { readonly kind: 'merged'; readonly alertId: string; readonly into: string }
  /** Others are merged into it. */
  | { readonly kind: 'has_merged'; readonly alertId: string }
  | { readonly kind: 'too_many'; readonly alertId: string }

/** Fields of an alert whose changes its timeline records. */
export type ChangedField =
  | keyof Pick<AlertWork, 'status' | 'quality' | 'owner' | 'reason'>
  | 'context_tags'
  | 'merged_into'
  | 'muted_by'

/** Something that happened to an alert. */
export type Happening =
  | { readonly kind: 'opened'; readonly severity: Severity; readonly event_count: number; readonly muted_by: string | null }
  /** Matches joined it; `event_count` is the number afterwards. */
  | { readonly kind: 'matches'; readonly added: number; readonly event_count: number }
  | { readonly kind: 'severity'; readonly from: Severity; readonly to: Severity }
  | { readonly kind: 'delivered'; readonly destination: string; readonly sent: DeliveryKind }
  /** A delivery was abandoned. */
  | { readonly kind: 'failed'; readonly destination: string; readonly sent: DeliveryKind; readonly error: string }
  | {
      readonly kind: 'changed'
      readonly field: ChangedField
      readonly from: string | null | readonly string[]
      readonly to: string | null | readonly string[]
    }
  /** Another alert was merged into this one, or taken out of it again. */
  | { readonly kind: 'merged' | 'unmerged'; readonly alert_id: string }
  /** A legal hold began or ended. */
  | { readonly kind: 'held' | 'released'; readonly reason: string }
  | { readonly kind: 'comment'; readonly text: string }

export const HAPPENINGS = [
  'opened',
  'matches',
  'severity',
  'delivered',
  'failed',
  'changed',
  'merged',
  'unmerged',
  'held',
  'released',
  'comment',
] as const satisfies readonly Happening['kind'][]

/** The comment's entry. `too_many`: the alert has as many comments as are allowed. */
export type CommentOutcome = TimelineEntry | 'not_found' | 'too_many'

/** An entry of an alert's timeline. */
export interface TimelineEntry {
  readonly id: number
  readonly alertId: string
  /** When it happened, epoch ms; of matches, when the first ones joined. */
  readonly atMs: number
  /** Of matches: when the last ones joined. */
  readonly untilMs: number
  /** Who did it; '' for Caracal itself. */
  readonly by: string
  readonly happening: Happening
}
