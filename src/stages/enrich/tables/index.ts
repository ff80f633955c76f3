import type { IpFamily } from '../../../model/ip.ts'
import type { Slice } from '../../../util/slice.ts'
import type { MatchKind } from '../table.ts'
import type { AddressBatch } from './address-batch.ts'
import {
  AddressIndex,
  AddressIndexBuilder,
  type AddressParts,
  canonicalAddress,
  canonicalNetwork,
  splitRange,
} from './address-index.ts'
import { CompositeIndex, CompositeIndexBuilder, type CompositeParts, canonicalParts, type PartKind } from './composite-index.ts'
import { canonicalDomain, DomainIndex, DomainIndexBuilder, type DomainParts } from './domain-index.ts'
import { FoldedIndex, FoldedIndexBuilder, type FoldedParts } from './folded-index.ts'
import { canonicalGlob, GlobIndex, GlobIndexBuilder, type GlobParts } from './glob-index.ts'
import { canonicalPort, PortIndex, PortIndexBuilder, type PortParts } from './port-index.ts'
import { canonicalRegistrable, RegistrableIndex, RegistrableIndexBuilder, type RegistrableParts } from './registrable-index.ts'
import { TextIndex, TextIndexBuilder, type TextParts } from './text-index.ts'

/** The parts of an index: plain values and arrays in shared memory, which can be sent to another thread. */
export type IndexParts =
  | AddressParts
  | CompositeParts
  | DomainParts
  | FoldedParts
  | GlobParts
  | PortParts
  | RegistrableParts
  | TextParts

/** Finds the number of the row for a key, -1 for none. Immutable. */
export interface KeyIndex {
  readonly parts: IndexParts
  /** Distinct keys. */
  readonly size: number
  find(key: string): number
  /**
   * If several keys may fit: the number of the most specific one whose number is accepted. Addresses: only if the index was built for that
   * (`isNested`).
   */
  findWhere?(key: string, accepts: (number: number) => boolean): number
  /** If keys are addresses: the same, starting from the number that was found for an address. */
  outerWhere?(number: number, accepts: (number: number) => boolean): number
  /** If keys are addresses: the number for one that `parseIp` has parsed, so that several tables share the parsing. */
  findAddress?(family: IpFamily, words: Uint32Array): number
  /** If keys are addresses: the row numbers for a batch. */
  findAll?(batch: AddressBatch, rows: Int32Array): void
}

/** Collects keys, then builds the index; the last added of equal keys wins. */
export interface KeyIndexBuilder {
  /** False if the text is not a key of this kind. */
  add(key: string, row: number): boolean
  build(slice: Slice): Promise<KeyIndex>
}

/** A way to compare an event's value with the keys of a table. */
export interface KeyKind<Type extends string = MatchKind> {
  /** As in `Match:` of a table's YAML. */
  readonly type: Type
  readonly summary: string
  /** What a key should be, for the message about an invalid one. */
  readonly help: string
  /** The form that all spellings of a key share; `undefined` if the text is not a key of this kind. */
  canonical(key: string): string | undefined
  /** The keys that one stands for, if it can stand for several: a range is several networks. */
  split?(key: string): readonly string[]
  /** `isNested`: `findWhere` will be used. Every key is then added once, each with a number of its own. */
  createBuilder(options?: { readonly isNested?: boolean }): KeyIndexBuilder
}

/** Built-in kinds of keys. A new one is one file in this folder and one entry here. */
export const keyKinds: readonly KeyKind[] = [
  {
    type: 'exact',
    summary: 'Compares texts character by character.',
    help: 'it must be text',
    canonical: (key) => key,
    createBuilder: () => new TextIndexBuilder(),
  },
  {
    type: 'ignore_case',
    summary: 'Compares texts ignoring case.',
    help: 'it must be text',
    canonical: (key) => key.toLowerCase(),
    createBuilder: () => new FoldedIndexBuilder(),
  },
  {
    type: 'ip',
    summary: 'Compares addresses, however they are spelt.',
    help: 'keys are addresses (networks and ranges need `Match: cidr`)',
    canonical: canonicalAddress,
    createBuilder: () => new AddressIndexBuilder(false),
  },
  {
    type: 'cidr',
    summary: 'Finds the most specific network or range that contains an address.',
    help: 'keys are addresses, networks like 10.0.0.0/8 or ranges like 10.0.0.1-10.0.0.9',
    canonical: canonicalNetwork,
    split: splitRange,
    createBuilder: ({ isNested = false } = {}) => new AddressIndexBuilder(true, isNested),
  },
  {
    type: 'port',
    summary: 'Compares the port that a value is or ends with.',
    help: 'keys are ports from 0 to 65535',
    canonical: canonicalPort,
    createBuilder: () => new PortIndexBuilder(),
  },
  {
    type: 'domain',
    summary: 'Finds the most specific domain that a name equals or is below.',
    help: 'keys are domains like example.com or *.example.com',
    canonical: canonicalDomain,
    createBuilder: () => new DomainIndexBuilder(),
  },
  {
    type: 'registrable_domain',
    summary: 'Compares the registrable domain of a name (`Match: domain` with `PublicSuffix: true`).',
    help: 'keys are registrable domains like example.co.uk: neither names below one, nor public suffixes like co.uk',
    canonical: canonicalRegistrable,
    createBuilder: () => new RegistrableIndexBuilder(),
  },
  {
    type: 'glob',
    summary: 'Finds the most specific pattern with * and ? that matches a text.',
    help: 'keys are at most 10,000 patterns of at most 1,000 characters, 200 of which begin and end with a wildcard',
    canonical: canonicalGlob,
    createBuilder: () => new GlobIndexBuilder(),
  },
]

/** Composite keys: equal in each part. Not among `keyKinds`, because each part is compared in its own way. */
export function compositeKind(compared: readonly PartKind[]): KeyKind<'composite'> {
  return {
    type: 'composite',
    summary: 'Compares several values, each in its own way.',
    help: `keys have ${compared.length} parts: ${compared.join(', ')}`,
    canonical: (key) => canonicalParts(key, compared),
    createBuilder: () => new CompositeIndexBuilder(compared),
  }
}

/** The index over parts that may have been built by another thread. */
export function openIndex(parts: IndexParts): KeyIndex {
  switch (parts.kind) {
    case 'addresses':
      return new AddressIndex(parts)
    case 'composite':
      return new CompositeIndex(parts)
    case 'domains':
      return new DomainIndex(parts)
    case 'folded':
      return new FoldedIndex(parts)
    case 'globs':
      return new GlobIndex(parts)
    case 'ports':
      return new PortIndex(parts)
    case 'registrable':
      return new RegistrableIndex(parts)
    case 'texts':
      return new TextIndex(parts)
  }
}
