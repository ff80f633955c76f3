/** Roles of callers of the API, from the most to the least that they may do. */
export const ROLES = ['admin', 'analyst', 'viewer'] as const
export type Role = (typeof ROLES)[number]

/** Tokens have these roles as well; with the last, a token can only send logs. */
export const TOKEN_ROLES = [...ROLES, 'ingest'] as const
export type TokenRole = (typeof TOKEN_ROLES)[number]

/** The name of the data folder's token, which no other account can have. */
export const MACHINE_NAME = 'cli'

/** Names of tokens. Without `@`: a token cannot look like the address of a person. */
export const TOKEN_NAME = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/

/** A log type, or a pattern in which `*` stands for any text: `Nginx.*`. */
export const LOG_TYPE_PATTERN = /^[A-Za-z0-9*][A-Za-z0-9._*-]{0,127}$/

/** Maximum number of tokens, including those that have expired or were revoked. */
export const MAX_TOKENS = 1000
export const MAX_TOKEN_CIDRS = 50
export const MAX_TOKEN_LOG_TYPES = 50

/** Maximum number of users, and of sessions of each. */
export const MAX_USERS = 1000
export const MAX_SESSIONS = 50

/** Limits of passwords. Length is what makes one hard to guess; there are no rules about kinds of characters. */
export const MIN_PASSWORD = 12
export const MAX_PASSWORD = 256
export const MAX_EMAIL = 200
export const MAX_USER_NAME = 100

/** Who makes a call. */
export interface Caller {
  /** `machine`: the data folder's token. `user`: a person who has signed in. */
  readonly kind: 'machine' | 'token' | 'user'
  /** What changes are attributed to. */
  readonly name: string
  readonly role: TokenRole
  /** Patterns of the log types that it may see. Absent: everything. */
  readonly logTypes?: readonly string[] | undefined
  /** Of a token that expires: when, epoch ms. */
  readonly expiresMs?: number | undefined
  /** Of a token: another one of the same name is another caller. */
  readonly tokenId?: string | undefined
  /** The person, and the session that the call belongs to. Absent for tokens. */
  readonly session?: CallerSession | undefined
}

export interface CallerSession {
  readonly userId: string
  readonly sessionId: string
  /** The configuration demands a second factor, and this person has none yet: nothing else may be done. */
  readonly needsSecondFactor: boolean
}

/** A person who may sign in. */
export interface User {
  readonly userId: string
  /** What changes are attributed to, and what they sign in with. Lower case. */
  readonly email: string
  /** What colleagues call them. */
  readonly name: string
  readonly role: Role
  /** Patterns of the log types that they may see; none: everything. */
  readonly logTypes: readonly string[]
  /** `invited`: they have never set a password or signed in. */
  readonly state: 'active' | 'invited' | 'disabled'
  /** Their sign-in takes a code as well. */
  readonly hasSecondFactor: boolean
  readonly hasPassword: boolean
  readonly createdMs: number
  readonly createdBy: string
  readonly lastSeenMs: number | null
}

/** One sign-in of a person that has not ended. */
export interface UserSession {
  readonly sessionId: string
  readonly userId: string
  readonly createdMs: number
  readonly lastUsedMs: number
  /** If it is not used until then, it ends. */
  readonly expiresMs: number
  /** Where it was last used from. */
  readonly address: string
  /** What the browser says it is. */
  readonly userAgent: string
}

/** A token of the API, without its secret, which is not stored. */
export interface ApiToken {
  readonly tokenId: string
  readonly name: string
  readonly role: TokenRole
  /** Networks that it may be used from; none: any. */
  readonly cidrs: readonly string[]
  /** Patterns of the log types that it may see; none: everything. */
  readonly logTypes: readonly string[]
  readonly createdMs: number
  readonly createdBy: string
  /** `null`: never. */
  readonly expiresMs: number | null
  readonly revokedMs: number | null
  readonly revokedBy: string | null
  readonly lastUsedMs: number | null
  /** The address that it was last used from. */
  readonly lastAddress: string | null
  /** The person whose it is; `null`: it is a program's. */
  readonly userId: string | null
}
