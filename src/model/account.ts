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

/** Who makes a call. */
export interface Caller {
  /** `machine`: the data folder's token. */
  readonly kind: 'machine' | 'token'
  /** What changes are attributed to. */
  readonly name: string
  readonly role: TokenRole
  /** Patterns of the log types that it may see. Absent: everything. */
  readonly logTypes?: readonly string[] | undefined
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
}
