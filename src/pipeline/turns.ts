import type { Extent } from '../model/batch.ts'
import type { BatchSource } from '../stages/source/source.ts'

/** Sources take turns, a batch each, so that one flood does not starve the rest. */
export class Turns {
  readonly #sources: readonly BatchSource[]
  readonly #dry = new Set<string>()
  #turn = 0

  constructor(sources: readonly BatchSource[]) {
    this.#sources = sources
  }

  /** True when the source had nothing when it was asked last. */
  isDry(sourceId: string): boolean {
    return this.#dry.has(sourceId)
  }

  /** Something may have come in: nobody counts as empty until asked again. */
  refresh(): void {
    this.#dry.clear()
  }

  /** The next batch of the source whose turn it is, or of the first one after it that has something. */
  async next(): Promise<{ readonly source: BatchSource; readonly extent: Extent } | undefined> {
    for (let i = 0; i < this.#sources.length; i++) {
      const at = (this.#turn + i) % this.#sources.length
      const source = this.#sources[at]!
      const extent = await source.next()
      if (!extent) {
        this.#dry.add(source.id)
        continue
      }
      this.#dry.delete(source.id)
      this.#turn = (at + 1) % this.#sources.length
      return { source, extent }
    }
    return undefined
  }
}
