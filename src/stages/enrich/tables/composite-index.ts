import { parseIp } from '../../../model/ip.ts'
import type { Slice } from '../../../util/slice.ts'
import { portOf } from './port-index.ts'
import { TextIndex, TextIndexBuilder, type TextParts } from './text-index.ts'

/** How a part of a composite key can be compared: all kinds that only need to know whether two values are equal. */
export const PART_KINDS = ['exact', 'ignore_case', 'ip', 'port'] as const
export type PartKind = (typeof PART_KINDS)[number]

/** The parts of an index of composite keys. */
export interface CompositeParts {
  readonly kind: 'composite'
  readonly compared: readonly PartKind[]
  readonly texts: TextParts
}

/** One text for all parts of a composite key: joined by `+`, with a `\` before each `+` and `\` within them. */
export function joinKey(parts: readonly string[]): string {
  return parts.map((part) => (/[+\\]/.test(part) ? part.replaceAll(/[+\\]/g, '\\$&') : part)).join('+')
}

/** The parts of a composite key. */
export function splitKey(key: string): string[] {
  if (!key.includes('\\')) return key.split('+')
  const parts: string[] = []
  let part = ''
  for (let at = 0; at < key.length; at++) {
    const character = key[at]!
    if (character === '+') {
      parts.push(part)
      part = ''
    } else {
      if (character === '\\' && /[+\\]/.test(key[at + 1] ?? '')) at++
      part += key[at]!
    }
  }
  return [...parts, part]
}

/** Composite keys: each part is compared in its own way. */
export class CompositeIndex {
  readonly parts: CompositeParts
  readonly size: number
  readonly #index: TextIndex

  constructor(parts: CompositeParts) {
    this.parts = parts
    this.#index = new TextIndex(parts.texts)
    this.size = this.#index.size
  }

  /** The row for a key as `joinKey` writes it. */
  find(key: string): number {
    const text = canonicalParts(key, this.parts.compared)
    return text === undefined ? -1 : this.#index.find(text)
  }
}

export class CompositeIndexBuilder {
  readonly #compared: readonly PartKind[]
  readonly #builder = new TextIndexBuilder()

  constructor(compared: readonly PartKind[]) {
    this.#compared = compared
  }

  add(key: string, row: number): boolean {
    const text = canonicalParts(key, this.#compared)
    return text !== undefined && this.#builder.add(text, row)
  }

  async build(slice: Slice): Promise<CompositeIndex> {
    return new CompositeIndex({ kind: 'composite', compared: this.#compared, texts: (await this.#builder.build(slice)).parts })
  }
}

/** The form that all spellings of a composite key share; `undefined` if a part is not a key of its kind. */
export function canonicalParts(key: string, compared: readonly PartKind[]): string | undefined {
  const parts = splitKey(key)
  if (parts.length !== compared.length) return undefined
  for (let i = 0; i < parts.length; i++) {
    const part = CANONICAL[compared[i]!](parts[i]!)
    if (part === undefined) return undefined
    parts[i] = part
  }
  return joinKey(parts)
}

const words = new Uint32Array(4)

const CANONICAL: Readonly<Record<PartKind, (part: string) => string | undefined>> = {
  exact: (part) => part,
  ignore_case: (part) => part.toLowerCase(),
  ip(part) {
    const family = parseIp(part, words)
    if (family === 0) return undefined
    return family === 4 ? String(words[0]) : words.join(':')
  },
  port(part) {
    const port = portOf(part)
    return port < 0 ? undefined : String(port)
  },
}
