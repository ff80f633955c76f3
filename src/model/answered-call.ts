/** How long the answer to a call with a key is kept. */
export const KEPT_CALL_MS = 24 * 3_600_000

/** Maximum number of keys of one caller within that time. */
export const MAX_KEPT_CALLS = 10_000

/** An answer, so that a repeated call can be given it again. */
export interface KeptAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** `undefined`: it is not kept, because it has a secret or is too long. */
  readonly body?: string | undefined
}

/** A call with a key. Every member is a hash. */
export interface KeyedCall {
  readonly owner: string
  readonly key: string
  /** Of what was asked for, so that a key cannot be used for two different calls. */
  readonly call: string
}

/** `begin`: the call begins, unless it was made before. `keep`: it has ended with this answer. `forget`: it changed nothing. */
export type KeyAsk =
  | { readonly step: 'begin'; readonly call: KeyedCall }
  | { readonly step: 'keep'; readonly call: KeyedCall; readonly answer: KeptAnswer }
  | { readonly step: 'forget'; readonly call: KeyedCall }

/**
 * `done`: go on. `other`: the key belongs to another call. `unended`: the call has begun before, and nothing says how it has ended.
 * `too_many`: the caller has as many keys as are kept.
 */
export type KeyOutcome = 'done' | 'other' | 'unended' | 'too_many' | KeptAnswer
