import type { IpFamily } from '../../../model/ip.ts'
import type { Slice } from '../slice.ts'
import type { MatchKind } from '../table.ts'
import type { AddressBatch } from './address-batch.ts'
import { AddressIndex, AddressIndexBuilder, type AddressParts } from './address-index.ts'
import { DomainIndex, DomainIndexBuilder, type DomainParts } from './domain-index.ts'
import { FoldedIndex, FoldedIndexBuilder, type FoldedParts } from './folded-index.ts'
import { GlobIndex, GlobIndexBuilder, type GlobParts } from './glob-index.ts'
import { PortIndex, PortIndexBuilder, type PortParts } from './port-index.ts'
import { TextIndex, TextIndexBuilder, type TextParts } from './text-index.ts'

/** What an index is made of: plain values and arrays in shared memory, to be sent to another thread. */
export type IndexParts = AddressParts | DomainParts | FoldedParts | GlobParts | PortParts | TextParts

/** Finds the number of the row for a key, -1 for none. Made once, never changed. */
export interface KeyIndex {
  readonly parts: IndexParts
  /** Distinct keys. */
  readonly size: number
  find(key: string): number
  /** Where keys are addresses: the same for one that `parseIp` has read, so that several tables share the reading. */
  findAddress?(family: IpFamily, words: Uint32Array): number
  /** Where keys are addresses: the row numbers for a batch. */
  findAll?(batch: AddressBatch, rows: Int32Array): void
}

/** Gathers keys, then makes the index; of equal keys the last added wins. */
export interface KeyIndexBuilder {
  /** False when the text is no key of this kind. */
  add(key: string, row: number): boolean
  build(slice: Slice): Promise<KeyIndex>
}

/** How keys of each kind are kept. */
export function createIndexBuilder(match: MatchKind): KeyIndexBuilder {
  switch (match) {
    case 'exact':
      return new TextIndexBuilder()
    case 'ignore_case':
      return new FoldedIndexBuilder()
    case 'ip':
      return new AddressIndexBuilder(false)
    case 'cidr':
      return new AddressIndexBuilder(true)
    case 'port':
      return new PortIndexBuilder()
    case 'domain':
      return new DomainIndexBuilder()
    case 'glob':
      return new GlobIndexBuilder()
  }
}

/** The index over parts that another thread may have made. */
export function openIndex(parts: IndexParts): KeyIndex {
  switch (parts.kind) {
    case 'addresses':
      return new AddressIndex(parts)
    case 'domains':
      return new DomainIndex(parts)
    case 'folded':
      return new FoldedIndex(parts)
    case 'globs':
      return new GlobIndex(parts)
    case 'ports':
      return new PortIndex(parts)
    case 'texts':
      return new TextIndex(parts)
  }
}
