import { getDomain } from 'tldts'
import type { Slice } from '../../../util/slice.ts'
import { canonicalDomain } from './domain-index.ts'
import { TextIndex, TextIndexBuilder, type TextParts } from './text-index.ts'

/** The parts of an index of registrable domains. */
export interface RegistrableParts {
  readonly kind: 'registrable'
  readonly texts: TextParts
}

/** Registrable domains: a name matches the key that is its registrable domain, `www.example.co.uk` the key `example.co.uk`. */
export class RegistrableIndex {
  readonly parts: RegistrableParts
  readonly size: number
  readonly #index: TextIndex

  constructor(parts: RegistrableParts) {
    this.parts = parts
    this.#index = new TextIndex(parts.texts)
    this.size = this.#index.size
  }

  find(text: string): number {
    const domain = registrableDomain(text)
    return domain === undefined ? -1 : this.#index.find(domain)
  }
}

export class RegistrableIndexBuilder {
  readonly #builder = new TextIndexBuilder()

  add(key: string, row: number): boolean {
    const domain = canonicalRegistrable(key)
    return domain !== undefined && this.#builder.add(domain, row)
  }

  async build(slice: Slice): Promise<RegistrableIndex> {
    return new RegistrableIndex({ kind: 'registrable', texts: (await this.#builder.build(slice)).parts })
  }
}

/** The registrable domain that a key is; `undefined` if it is another name, which no value's registrable domain would equal. */
export function canonicalRegistrable(key: string): string | undefined {
  const name = canonicalDomain(key)
  return name !== undefined && registrableDomain(name) === name ? name : undefined
}

/** Suffixes under which companies register names for their customers (`github.io`) count as well: the names below belong to different owners. */
const OPTIONS = { allowPrivateDomains: true, extractHostname: false, mixedInputs: false } as const

/** The part of a name that its owner has registered, by the Public Suffix List; `undefined` for addresses, public suffixes and other texts. */
function registrableDomain(text: string): string | undefined {
  const name = canonicalDomain(text)
  return name === undefined ? undefined : (getDomain(name, OPTIONS) ?? undefined)
}
