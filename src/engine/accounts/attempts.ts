import { createHash } from 'node:crypto'
import type { SignInFailures } from '../../state/sign-in-failures.ts'

/** Failures after which an account or an address has to wait: people mistype, and many people can share an address. */
const FREE = { account: 5, address: 20 } as const
const FIRST_WAIT_MS = 2000
const LONGEST_WAIT_MS = 15 * 60_000
/** Failures older than this count no more. */
const FORGET_MS = 24 * 3_600_000
const MAX_KEYS = 20_000

export interface AttemptDeps {
  readonly stored: readonly SignInFailures[]
  /** Stores counts; a restart begins with them. */
  readonly save: (changed: readonly SignInFailures[]) => Promise<void>
  readonly now: () => number
}

/** An attempt that may be made. Exactly one of the methods has to be called. */
export interface Attempt {
  /** It failed: the count stays. */
  failed(): Promise<void>
  /** It succeeded: the account's failures are forgotten. Those of the address stay, except for this one. */
  succeeded(): Promise<void>
}

/**
 * Limits attempts to sign in, per account and per address, with a wait that doubles. An attempt counts from its beginning, so that many at
 * once are no way around it. Counts survive a restart.
 */
export class Attempts {
  readonly #deps: AttemptDeps
  readonly #failures = new Map<string, SignInFailures>()

  constructor(deps: AttemptDeps) {
    this.#deps = deps
    for (const one of deps.stored) this.#failures.set(one.key, one)
  }

  /**
   * Begins an attempt for this account from this address. `waitMs`: it must not be made yet. `isKnown`: the person has a session at this
   * address, and those elsewhere who guess must not lock them out.
   */
  begin(account: string, address: string, isKnown: boolean): Attempt | { readonly waitMs: number } {
    const network = networkOf(address)
    const own = hashOf('account', account.toLowerCase(), isKnown ? network : '')
    const from = hashOf('address', network)
    const waitMs = Math.max(this.#waitMs(own, FREE.account), this.#waitMs(from, FREE.address))
    if (waitMs > 0) return { waitMs }
    const before = this.#failures.get(from)
    const counted = [this.#count(own), this.#count(from)]
    return {
      failed: () => this.#save(counted.map((one) => this.#failures.get(one.key) ?? one)),
      succeeded: () => {
        const ofAddress = this.#failures.get(from)?.failures ?? 1
        const nowMs = this.#deps.now()
        const left = { key: from, failures: Math.max(0, ofAddress - 1), lastMs: before?.lastMs ?? nowMs }
        return this.#save([this.#put({ key: own, failures: 0, lastMs: nowMs }), this.#put(left)])
      },
    }
  }

  /** Forgets the failures of an account, for an administrator. */
  forgive(account: string): Promise<void> {
    return this.#save([this.#put({ key: hashOf('account', account.toLowerCase(), ''), failures: 0, lastMs: this.#deps.now() })])
  }

  #waitMs(key: string, free: number): number {
    const known = this.#failures.get(key)
    if (!known || known.failures < free) return 0
    const nowMs = this.#deps.now()
    if (nowMs - known.lastMs > FORGET_MS) return 0
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(20, known.failures - free))
    return Math.max(0, known.lastMs + wait - nowMs)
  }

  #count(key: string): SignInFailures {
    const known = this.#failures.get(key)
    const nowMs = this.#deps.now()
    const failures = known && nowMs - known.lastMs <= FORGET_MS ? known.failures + 1 : 1
    return this.#put({ key, failures, lastMs: nowMs })
  }

  #put(one: SignInFailures): SignInFailures {
    this.#failures.delete(one.key)
    if (one.failures > 0) this.#failures.set(one.key, one)
    // The oldest is the first in the map.
    if (this.#failures.size > MAX_KEYS) this.#failures.delete(this.#failures.keys().next().value!)
    return one
  }

  /** A full disk must not keep people from signing in. */
  async #save(changed: readonly SignInFailures[]): Promise<void> {
    await this.#deps.save(changed).catch(() => {})
  }
}

/** The address, or for IPv6 its first 64 bits: one sender has all addresses of such a network. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.toLowerCase().split('::')
  const groups = (text: string) => text.split(':').filter(Boolean)
  const missing = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length
  const all = [...groups(head), ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...groups(tail ?? '')]
  return all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}

function hashOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}
