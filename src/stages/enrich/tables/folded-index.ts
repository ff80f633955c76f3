import type { Slice } from '../slice.ts'
import { TextIndex, TextIndexBuilder, type TextParts } from './text-index.ts'

/** What an index of texts without regard to case is made of. */
export interface FoldedParts {
  readonly kind: 'folded'
  readonly texts: TextParts
}

/** Text keys without regard to case. */
export class FoldedIndex {
  readonly parts: FoldedParts
  readonly size: number
  readonly #index: TextIndex

  constructor(parts: FoldedParts) {
    this.parts = parts
    this.#index = new TextIndex(parts.texts)
    this.size = this.#index.size
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
    return new FoldedIndex({ kind: 'folded', texts: (await this.#builder.build(slice)).parts })
  }
}
