import type { News, NewsSubscription, NumberedNews, Subscribe } from '../../model/news.ts'

/** How many are kept for callers that were disconnected for a while. */
export const MAX_KEPT = 2000

/** Passes news on to those who listen, and keeps the last ones. */
export class NewsBoard {
  readonly #run: string
  readonly #now: () => number
  readonly #listeners = new Set<(news: NumberedNews) => void>()
  #kept: NumberedNews[] = []
  #number = 0

  constructor(now: () => number) {
    this.#now = now
    this.#run = now().toString(36)
  }

  readonly publish = (news: News): void => {
    this.#number++
    const numbered = { ...news, id: `${this.#run}-${this.#number}`, atMs: this.#now() }
    this.#kept.push(numbered)
    if (this.#kept.length > MAX_KEPT * 1.5) this.#kept = this.#kept.slice(-MAX_KEPT)
    for (const listener of [...this.#listeners]) listener(numbered)
  }

  readonly subscribe: Subscribe = (since, listener): NewsSubscription => {
    this.#listeners.add(listener)
    return { missed: since === undefined ? [] : this.#since(since), stop: () => void this.#listeners.delete(listener) }
  }

  #since(id: string): readonly NumberedNews[] | undefined {
    const [, run, digits] = /^([0-9a-z]{1,12})-(\d{1,15})$/.exec(id) ?? []
    const last = Number(digits)
    if (run !== this.#run || last > this.#number) return undefined
    const count = this.#number - last
    return count > this.#kept.length ? undefined : this.#kept.slice(this.#kept.length - count)
  }
}
