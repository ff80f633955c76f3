/** A token as a token server issued it. */
export interface IssuedToken {
  readonly text: string
  /** Lifetime in seconds. */
  readonly seconds: number
}

/** A token is renewed this long before it expires, or in the last quarter of its life if that is shorter. */
const MARGIN_MS = 300_000

/** A token that is requested when it is needed, once for all who wait for it, and used until shortly before it expires. */
export class CachedToken {
  readonly #request: (signal: AbortSignal) => Promise<IssuedToken>
  #token: { readonly text: string; readonly renewMs: number } | undefined
  #asking: Promise<string> | undefined

  constructor(request: (signal: AbortSignal) => Promise<IssuedToken>) {
    this.#request = request
  }

  /** Rejects with whatever the request rejects with. */
  async get(signal: AbortSignal): Promise<string> {
    if (this.#token && this.#token.renewMs > Date.now()) return this.#token.text
    this.#asking ??= this.#ask(signal).finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  /** The token was refused: the next one is a new one. */
  forget(): void {
    this.#token = undefined
  }

  async #ask(signal: AbortSignal): Promise<string> {
    const { text, seconds } = await this.#request(signal)
    const lifeMs = seconds * 1000
    this.#token = { text, renewMs: Date.now() + lifeMs - Math.min(MARGIN_MS, lifeMs / 4) }
    return text
  }
}
