import type { StateDb } from '../../state/db.ts'
import { storedTokens } from '../../state/tokens.ts'
import { messageOf, StorageError } from '../../util/errors.ts'
import { Tokens } from './tokens.ts'
import { Users } from './users.ts'

export interface WatchedTokensDeps {
  /** Read only: another process writes it. */
  readonly state: StateDb
  /** The secret of the data folder's token. */
  readonly machine: string
  readonly isSecondFactorNeeded: boolean
  /** The state cannot be read, in words; called once until it can be again. */
  readonly onTrouble: (message: string) => void
  /** Time between two looks, in milliseconds. */
  readonly everyMs?: number
  /** How long senders are known by what was read last. */
  readonly keptMs?: number
}

/** A new token, or one that was revoked, is known everywhere after this time. */
const EVERY_MS = 5000
const KEPT_MS = 60_000

/** The tokens of the state on a node that does not write it. */
export class WatchedTokens {
  readonly #deps: WatchedTokensDeps
  readonly #none: Tokens
  #tokens: Tokens
  #readAt: number
  #trouble: string | undefined
  #timer: NodeJS.Timeout | undefined
  #reading: Promise<void> | undefined

  private constructor(deps: WatchedTokensDeps, tokens: Tokens) {
    this.#deps = deps
    this.#none = tokensOf(deps, [])
    this.#tokens = tokens
    this.#readAt = performance.now()
    this.#timer = setInterval(() => void this.#look(), deps.everyMs ?? EVERY_MS)
  }

  /** @throws {StorageError} if the state cannot be read, or no other node has created it yet. */
  static async open(deps: WatchedTokensDeps): Promise<WatchedTokens> {
    try {
      return new WatchedTokens(deps, await read(deps))
    } catch (error) {
      if (error instanceof StorageError) throw error
      throw new StorageError(
        `the tokens in the state cannot be read: ${messageOf(error)}. Has the node that writes it been started, with this version?`,
        { cause: error },
      )
    }
  }

  /** What is known for sure: without the state, only the data folder's token. */
  get current(): Tokens {
    return this.trouble === undefined ? this.#tokens : this.#none
  }

  /** Why senders are not known, while that is so. */
  get trouble(): string | undefined {
    if (performance.now() - this.#readAt < (this.#deps.keptMs ?? KEPT_MS)) return undefined
    return `the tokens of senders cannot be read from the state: ${this.#trouble ?? 'it does not answer'}`
  }

  /**
   * See `Tokens.maySend`.
   *
   * @throws {StorageError} if that is not known, so that the sender tries again later.
   */
  maySend(secret: string | undefined, address: string): boolean {
    if (this.#none.maySend(secret, address)) return true
    if (this.trouble !== undefined)
      throw new StorageError('tokens cannot be checked now, because the state does not answer; try again later')
    return this.#tokens.maySend(secret, address)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#reading
  }

  #look(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #read(): Promise<void> {
    const at = performance.now()
    try {
      this.#tokens = await read(this.#deps)
      this.#readAt = at
      this.#trouble = undefined
    } catch (error) {
      const message = messageOf(error)
      if (this.#trouble === undefined) this.#deps.onTrouble(`The tokens of senders cannot be read from the state: ${message}`)
      this.#trouble = message
    }
  }
}

async function read(deps: WatchedTokensDeps): Promise<Tokens> {
  const users = await Users.open({ state: deps.state, now: Date.now })
  return tokensOf(deps, await storedTokens(deps.state), users)
}

function tokensOf(
  { machine, isSecondFactorNeeded }: WatchedTokensDeps,
  stored: Awaited<ReturnType<typeof storedTokens>>,
  users?: Users,
): Tokens {
  return new Tokens({
    ...{ machine, stored, isSecondFactorNeeded },
    // When a token was used is recorded by the node that writes the state.
    ask: async () => undefined,
    now: Date.now,
    userOf: (userId) => users?.get(userId),
  })
}
