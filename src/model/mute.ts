import { SEVERITIES, type Severity } from './rule.ts'

/** What a mute covers: matches that satisfy every criterion it has. `*` stands for any text, `\` makes the next character plain. */
export interface MuteCriteria {
  readonly rule?: string | undefined
  readonly dedup?: string | undefined
  readonly title?: string | undefined
  /** One of the indicators of the event, such as an address. */
  readonly indicator?: string | undefined
  /** Any of these. */
  readonly severities?: readonly Severity[] | undefined
  readonly logType?: string | undefined
  /** The texts are compared as they are: `*` and `\` are plain, and upper and lower case differ. */
  readonly exact?: true | undefined
}

/** Matches that it covers open no alert that is sent. */
export interface ActiveMute {
  readonly muteId: string
  readonly criteria: MuteCriteria
  readonly expiresMs: number
}

export interface Mute extends ActiveMute {
  readonly owner: string
  readonly reason: string
  /** Who made it: the name of the API token. */
  readonly by: string
  readonly createdMs: number
  readonly endedMs: number | null
  readonly endedBy: string | null
  /** How many matches it has covered, and how many alerts were not sent because of it. */
  readonly matches: number
  readonly alerts: number
  /** When it last covered a match; null if it never has. */
  readonly lastMs: number | null
}

/** What a mute did in one transaction. */
export interface MuteCount {
  readonly muteId: string
  readonly matches: number
  readonly alerts: number
}

/** Maximum number of mutes in force: each match is compared with all of them. */
export const MAX_ACTIVE_MUTES = 500
export const MAX_MUTE_MS = 366 * 86_400_000

/** The order of severities, from 0. */
export function severityRank(severity: Severity): number {
  return SEVERITIES.indexOf(severity)
}
