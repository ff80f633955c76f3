/** How long a code of an authenticator app is remembered: longer than it is valid, which is its own 30 seconds and those around them. */
const KEPT_MS = 120_000

/** Codes of authenticator apps that were used. Each counts once (RFC 6238, section 5.2): whoever has seen it typed must not sign in with it. */
export class UsedCodes {
  readonly #now: () => number
  readonly #used = new Map<string, number>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** Marks a right code of this user as used. False: it was used before. */
  use(userId: string, code: string): boolean {
    const nowMs = this.#now()
    for (const [key, atMs] of this.#used) if (Math.abs(nowMs - atMs) > KEPT_MS) this.#used.delete(key)
    const key = `${userId} ${code.trim()}`
    if (this.#used.has(key)) return false
    this.#used.set(key, nowMs)
    return true
  }
}
