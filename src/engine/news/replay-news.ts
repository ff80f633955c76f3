import type { News } from '../../model/news.ts'
import type { Replay } from '../../model/replay.ts'

/** Interval at which replays are compared while one runs. */
const EVERY_MS = 1000

/** Publishes how far replays have come. */
export class ReplayNews {
  readonly #replays: () => Promise<readonly Replay[]>
  readonly #publish: (news: News) => void
  readonly #said = new Map<string, string>()
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(replays: () => Promise<readonly Replay[]>, publish: (news: News) => void) {
    this.#replays = replays
    this.#publish = publish
  }

  /** Something has happened that may be a replay's. */
  look(): void {
    if (this.#isStopped) return
    this.#timer ??= setTimeout(() => void this.#compare(), EVERY_MS).unref()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  async #compare(): Promise<void> {
    // The pipeline may have ended in the meantime.
    const all = await this.#replays().catch(() => [])
    this.#timer = undefined
    for (const { id, state, report } of all) {
      const message = `${state}, ${report.records} records read`
      if (this.#said.get(id) === message) continue
      const isOld = !this.#said.has(id) && !isActive(state)
      this.#said.set(id, message)
      if (!isOld) this.#publish({ kind: 'replay.progress', subject: id, message })
    }
    for (const id of this.#said.keys()) if (!all.some((replay) => replay.id === id)) this.#said.delete(id)
    if (all.some(({ state }) => isActive(state))) this.look()
  }
}

function isActive(state: Replay['state']): boolean {
  return state === 'queued' || state === 'running'
}
