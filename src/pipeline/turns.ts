import type { Extent } from '../model/batch.ts'
import { type BatchSource, BUSY } from '../stages/source/source.ts'
import { messageOf } from '../util/errors.ts'

/** Maximum pause before a failed source is read again; the pause doubles with each consecutive failure. */
const MAX_PAUSE_MS = 10_000

/** A source that could not be read. */
interface Failure {
  readonly pauseMs: number
  readonly untilMs: number
}

export interface TurnsDeps {
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
  /** Pause before a failed source is first read again, milliseconds. */
  readonly pauseMs: number
  /** Why a source cannot be read, for display; `undefined` once it can. */
  readonly onTrouble: (sourceId: string, message: string | undefined) => void
}

/** Sources take turns, a batch each, so that neither a flood nor a source that cannot be read starves the rest. */
export class Turns {
  #sources: readonly BatchSource[]
  readonly #deps: TurnsDeps
  readonly #dry = new Set<string>()
  readonly #failures = new Map<string, Failure>()
  #turn = 0

  constructor(sources: readonly BatchSource[], deps: TurnsDeps) {
    this.#sources = sources
    this.#deps = deps
  }

  /** One more source takes turns. */
  add(source: BatchSource): void {
    this.#sources = [...this.#sources, source]
  }

  /** The source gets no more turns. */
  remove(sourceId: string): void {
    this.#sources = this.#sources.filter(({ id }) => id !== sourceId)
    this.#dry.delete(sourceId)
    this.worked(sourceId)
  }

  /** True if the source had nothing new when last checked. */
  isDry(sourceId: string): boolean {
    return this.#dry.has(sourceId)
  }

  /** Something may have arrived: no source counts as empty until checked again. */
  refresh(): void {
    this.#dry.clear()
  }

  /** Milliseconds until a failed source may be read again; `Infinity` if none failed. */
  get untilNextMs(): number {
    const now = this.#deps.now()
    return Math.min(...[...this.#failures.values()].map(({ untilMs }) => Math.max(0, untilMs - now)))
  }

  /** True while a failed source is paused. */
  isPausing(sourceId: string): boolean {
    return (this.#failures.get(sourceId)?.untilMs ?? 0) > this.#deps.now()
  }

  /** The source could not be read: it is paused for a while and the others continue. */
  failed(sourceId: string, error: unknown): void {
    const pauseMs = Math.min(MAX_PAUSE_MS, 2 * (this.#failures.get(sourceId)?.pauseMs ?? this.#deps.pauseMs / 2))
    this.#failures.set(sourceId, { pauseMs, untilMs: this.#deps.now() + pauseMs })
    this.#deps.onTrouble(
      sourceId,
      `Source '${sourceId}' cannot be read and will be retried; other sources continue: ${messageOf(error)}`,
    )
  }

  worked(sourceId: string): void {
    if (this.#failures.delete(sourceId)) this.#deps.onTrouble(sourceId, undefined)
  }

  /** The next batch of the source whose turn it is, or of the first one after it that has something; `isHeld` sources are skipped. */
  async next(
    isHeld: (sourceId: string) => boolean = () => false,
  ): Promise<{ readonly source: BatchSource; readonly extent: Extent } | undefined> {
    const sources = this.#sources
    for (let i = 0; i < sources.length; i++) {
      const at = (this.#turn + i) % sources.length
      const source = sources[at]!
      if (isHeld(source.id) || this.isPausing(source.id)) continue
      let extent: Extent | typeof BUSY | undefined
      try {
        extent = await source.next()
      } catch (error) {
        this.failed(source.id, error)
        continue
      }
      if (!extent) {
        this.worked(source.id)
        this.#dry.add(source.id)
        continue
      }
      this.#dry.delete(source.id)
      // It requests its next turn itself.
      if (extent === BUSY) continue
      this.#turn = (at + 1) % sources.length
      return { source, extent }
    }
    return undefined
  }
}
