import type { Slice } from '../slice.ts'
import { type TextIndex, TextIndexBuilder } from './text-index.ts'

/** Text keys without regard to case. */
export class FoldedIndex {
  readonly size: number
  readonly #index: TextIndex

  constructor(index: TextIndex) {
    this.#index = index
    this.size = index.size
  }

  find(text: string): number {
    return this.#index.find(text.toLowerCase())
  }
}

export class FoldedIndexBuilder {
  readonly #builder = new TextIndexBuilder()

  add(key: string, row: number): boolean {
    return this.#builder.add(key.toLowerCase(), row)
  }

  async build(slice: Slice): Promise<FoldedIndex> {
    return new FoldedIndex(await this.#builder.build(slice))
  }
}
