/** What kind of value a deletion is about. It is checked, so that a mistyped one is refused. */
export const DELETION_TYPES = ['ip', 'domain', 'email', 'user', 'hash', 'other'] as const
export type DeletionType = (typeof DELETION_TYPES)[number]

export const MIN_DELETED_CHARS = 3
export const MAX_DELETED_CHARS = 500

export interface DeletionAsk {
  readonly value: string
  readonly type: DeletionType | undefined
  readonly reason: string
  readonly by: string
  /** Only counts. */
  readonly isDry: boolean
}

/** A deletion, without the value. */
export interface Deletion {
  readonly id: string
  /** SHA-256 of salt, colon and value, in hex. The salt is random, so that equal values in different deletions cannot be recognised. */
  readonly sha256: string
  readonly salt: string
  readonly type: DeletionType | undefined
  readonly reason: string
  readonly by: string
  readonly isDry: boolean
  readonly startedMs: number
  readonly finishedMs: number | undefined
  readonly state: 'running' | 'done' | 'failed'
  /** Why it failed. It is tried again at the next start. */
  readonly message: string | undefined
  /** Place, such as `logs.zeek_conn` or `state.alerts` → rows that were changed or deleted, or would be. */
  readonly rows: Readonly<Record<string, number>>
  /** Alerts on hold that contain the value, and keep it. */
  readonly held: readonly string[]
  /** Where the value still is, and why; one sentence each. */
  readonly remaining: readonly string[]
  /** Folders of known backups, which it does not cover. */
  readonly backups: readonly string[]
  /** Where rows are archived before they are deleted, which it does not cover; `undefined`: nowhere. */
  readonly archive?: string | undefined
}

const FORMS: Readonly<Record<DeletionType, RegExp>> = {
  ip: /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:.]+)$/i,
  domain: /^[^\s@.]+(?:\.[^\s@.]+)+$/,
  email: /^[^\s@]+@[^\s@]+$/,
  user: /^\S.*$/,
  hash: /^[0-9a-f]{32,128}$/i,
  other: /^\S.*$/,
}

/** Why a value cannot be deleted; `undefined`: it can. The sentence does not contain it. */
export function whyNotDeleted(value: string, type: DeletionType | undefined): string | undefined {
  if (value.length < MIN_DELETED_CHARS || value.length > MAX_DELETED_CHARS)
    return `a value has ${MIN_DELETED_CHARS} to ${MAX_DELETED_CHARS} characters`
  if (value !== value.trim() || /\p{Cc}/u.test(value)) return 'a value neither begins nor ends with a space, and is one line'
  if (!/[0-9a-z]/i.test(value) && !/\p{L}/u.test(value)) return 'a value has a letter or a digit'
  if (type !== undefined && !FORMS[type].test(value)) return `this is not a value of the type ${type}`
  return undefined
}
