import { createHash, randomBytes } from 'node:crypto'
import { type ApiToken, type Caller, MACHINE_NAME, type User } from '../../model/account.ts'
import type { NewToken, StoredToken, TokenAnswer, TokenAsk } from '../../state/tokens.ts'
import { sameSecret } from '../../util/bearer.ts'
import { inNetworks } from './networks.ts'
import { ownedCaller } from './owned-tokens.ts'

/** Secrets begin like this, so that scanners find them where they should not be. */
const PREFIX = 'caracal_'

/** How often the last use of a token is stored. */
const USED_MS = 60_000

/** What a secret is worth. */
export type Identity =
  | { readonly kind: 'caller'; readonly caller: Caller }
  /** No token has this secret. */
  | { readonly kind: 'unknown' }
  /** A token has it, but cannot be used. `isPlace`: not from this address. `advice`: what to do instead of using another. */
  | { readonly kind: 'refused'; readonly name: string; readonly why: string; readonly isPlace: boolean; readonly advice?: string }

/** A token to create. */
export type TokenWish = Omit<NewToken, 'tokenId' | 'hash'>

export interface TokenDeps {
  /** The secret of the data folder's token. */
  readonly machine: string
  readonly stored: readonly StoredToken[]
  /** Changes tokens in the state. */
  readonly ask: (ask: TokenAsk) => Promise<TokenAnswer>
  readonly now: () => number
  /** The user whose token it is. Absent: it is not a person's. */
  readonly userOf?: (userId: string) => User | undefined
  /** Tokens of people without a second factor cannot be used (`sign_in.require_second_factor`). */
  readonly isSecondFactorNeeded?: boolean
}

interface Known {
  readonly token: ApiToken
  readonly isAllowed: (address: string) => boolean
}

/** The tokens of the API, in memory: senders of logs present one with each request. */
export class Tokens {
  readonly #deps: TokenDeps
  readonly #byHash = new Map<string, Known>()
  /** When each token's use was last stored, by id. */
  readonly #used = new Map<string, number>()

  constructor(deps: TokenDeps) {
    this.#deps = deps
    for (const stored of deps.stored) this.#keep(stored)
  }

  /** Who presents this secret from this address. */
  identify(secret: string | undefined, address: string): Identity {
    if (secret === undefined) return { kind: 'unknown' }
    if (sameSecret(secret, this.#deps.machine))
      return { kind: 'caller', caller: { kind: 'machine', name: MACHINE_NAME, role: 'admin' } }
    const known = this.#byHash.get(hashOf(secret))
    if (!known) return { kind: 'unknown' }
    const { token, isAllowed } = known
    const { name, role, logTypes, expiresMs } = token
    const why = this.#reasonAgainst(token)
    if (why !== undefined) return { kind: 'refused', name, why, isPlace: false }
    if (!isAllowed(address)) {
      const from = `must not be used from ${address || 'an unknown address'}: its networks are ${token.cidrs.join(', ')}`
      return { kind: 'refused', name, why: from, isPlace: true }
    }
    const own = {
      kind: 'token',
      name,
      role,
      tokenId: token.tokenId,
      ...(logTypes.length > 0 && { logTypes }),
      ...(expiresMs !== null && { expiresMs }),
    } as const
    const caller =
      token.userId === null ? own : ownedCaller(own, this.#deps.userOf?.(token.userId), this.#deps.isSecondFactorNeeded ?? false)
    if ('why' in caller) return { kind: 'refused', name, isPlace: false, ...caller }
    this.#note(token, address)
    return { kind: 'caller', caller }
  }

  /** Whether a sender of logs may use this secret at this address. */
  maySend(secret: string | undefined, address: string): boolean {
    const identity = this.identify(secret, address)
    return identity.kind === 'caller' && (identity.caller.kind === 'machine' || identity.caller.role === 'ingest')
  }

  /** Every token, oldest first. */
  list(): readonly ApiToken[] {
    return [...this.#byHash.values()].map(({ token }) => token)
  }

  /** Creates a token. Its secret is returned this once. */
  async add(wish: TokenWish): Promise<{ readonly token: ApiToken; readonly secret: string } | 'taken' | 'too_many'> {
    const secret = PREFIX + randomBytes(32).toString('base64url')
    const answer = await this.#deps.ask({
      do: 'add',
      token: { ...wish, tokenId: randomBytes(8).toString('hex'), hash: hashOf(secret) },
    })
    if (answer === 'taken' || answer === 'too_many') return answer
    return { token: this.#keep(answer!), secret }
  }

  /** The token with this id, or else the only one in force with this name. `userId`: only among those of that user. */
  find(idOrName: string, userId?: string): ApiToken | undefined {
    const all = this.list().filter((token) => userId === undefined || token.userId === userId)
    const named = all.filter((token) => token.name === idOrName && this.#reasonAgainst(token) === undefined)
    return all.find(({ tokenId }) => tokenId === idOrName) ?? (named.length === 1 ? named[0] : undefined)
  }

  /** Revokes the token that `find` returns. One that is revoked stays as it is. */
  async revoke(idOrName: string, by: string, userId?: string): Promise<ApiToken | undefined> {
    const found = this.find(idOrName, userId)
    const answer = found && (await this.#deps.ask({ do: 'revoke', tokenId: found.tokenId, by }))
    return typeof answer === 'object' ? this.#keep(answer) : undefined
  }

  #reasonAgainst({ expiresMs, revokedMs }: ApiToken): string | undefined {
    if (revokedMs !== null) return `was revoked at ${new Date(revokedMs).toISOString()}`
    if (expiresMs !== null && expiresMs <= this.#deps.now()) return `expired at ${new Date(expiresMs).toISOString()}`
    return undefined
  }

  #keep({ hash, token }: StoredToken): ApiToken {
    const isAllowed = token.cidrs.length === 0 ? () => true : inNetworks(token.cidrs)
    this.#byHash.set(hash, { token, isAllowed })
    return token
  }

  #note({ tokenId }: ApiToken, address: string): void {
    const nowMs = this.#deps.now()
    if (nowMs - (this.#used.get(tokenId) ?? Number.NEGATIVE_INFINITY) < USED_MS) return
    this.#used.set(tokenId, nowMs)
    this.#deps.ask({ do: 'used', tokenId, address }).then(
      (answer) => typeof answer === 'object' && this.#keep(answer),
      // The disk is full: the time is not worth failing a call.
      () => this.#used.delete(tokenId),
    )
  }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
