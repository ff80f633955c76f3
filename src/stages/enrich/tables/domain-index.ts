import { domainToASCII } from 'node:url'
import type { Slice } from '../../../util/slice.ts'
import { TextIndex, TextIndexBuilder, type TextParts } from './text-index.ts'

/** The parts of an index of domains. */
export interface DomainParts {
  readonly kind: 'domains'
  readonly texts: TextParts
}

/** Domains: a key matches itself and everything below it, and the longest key wins. */
export class DomainIndex {
  readonly parts: DomainParts
  readonly size: number
  readonly #index: TextIndex

  constructor(parts: DomainParts) {
    this.parts = parts
    this.#index = new TextIndex(parts.texts)
    this.size = this.#index.size
  }

  find(text: string): number {
    return this.findWhere(text, always)
  }

  findWhere(text: string, accepts: (row: number) => boolean): number {
    if (text.length > MAX_NAME) return -1
    const name = nameOf(text)
    for (let from = 0; ; ) {
      const row = this.#index.find(name, from)
      if (row >= 0 && accepts(row)) return row
      from = name.indexOf('.', from) + 1
      if (from === 0) return -1
    }
  }
}

export class DomainIndexBuilder {
  readonly #builder = new TextIndexBuilder()

  /** A key may be written `*.example.com` or `.example.com`. */
  add(key: string, row: number): boolean {
    const name = canonicalDomain(key)
    return name !== undefined && this.#builder.add(name, row)
  }

  async build(slice: Slice): Promise<DomainIndex> {
    return new DomainIndex({ kind: 'domains', texts: (await this.#builder.build(slice)).parts })
  }
}

/** The domain name in a key; `undefined` if there is none. */
export function canonicalDomain(key: string): string | undefined {
  const name = nameOf(key.replace(/^(?:\*?\.)/, ''))
  return isName(name) ? name : undefined
}

const always = () => true

/** Longest name in the domain name system (RFC 1035 §2.3.4), with room for a final dot. */
const MAX_NAME = 254

/** In lower case, as in the domain name system, without the final dot. */
function nameOf(text: string): string {
  const ascii = /^[\x20-\x7e]*$/.test(text) ? text.toLowerCase() : domainToASCII(text)
  return ascii.endsWith('.') ? ascii.slice(0, -1) : ascii
}

/** Labels of letters, digits, `-` and `_`: neither URLs nor ports. */
function isName(name: string): boolean {
  return name.length > 0 && name.length <= MAX_NAME && /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(name)
}
