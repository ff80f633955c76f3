import type { Slice } from '../../../util/slice.ts'
import { TextIndex, TextIndexBuilder, type TextParts } from './text-index.ts'

/** The parts of a case-insensitive index of texts. */
export interface FoldedParts {
  readonly kind: 'folded'
  readonly texts: TextParts
}

/** Case-insensitive text keys. */
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
