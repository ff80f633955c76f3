import type { IpFamily } from '../../../model/ip.ts'
import type { Slice } from '../slice.ts'
import type { MatchKind } from '../table.ts'
import { AddressIndexBuilder } from './address-index.ts'
import { FoldedIndexBuilder } from './folded-index.ts'
import { PortIndexBuilder } from './port-index.ts'
import { TextIndexBuilder } from './text-index.ts'

/** Finds the number of the row for a key, -1 for none. Made once, never changed. */
export interface KeyIndex {
  /** Distinct keys. */
  readonly size: number
  find(key: string): number
  /** Where keys are addresses: the same for one that `parseIp` has read, so that several tables share the reading. */
  findAddress?(family: IpFamily, words: Uint32Array): number
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
  }
}
