import type { Entry } from '../read-row.ts'
import type { TableSchema } from '../table-schema.ts'
import { Decoder } from './decoder.ts'
import { readMetadata } from './metadata.ts'
import { rowOf } from './mmdb-table.ts'
import { Tree } from './tree.ts'

const BATCH = 500

/** The networks of a MaxMind DB with their rows, in batches. Aliases of IPv4 networks within IPv6 are left out. */
export function* mmdbEntries(file: Uint8Array, schema: TableSchema | undefined): Generator<Entry[]> {
  const metadata = readMetadata(file)
  const decoder = new Decoder(file.subarray(metadata.dataStart, metadata.dataEnd))
  let entries: Entry[] = []
  for (const { network, offset } of new Tree(file, metadata).networks()) {
    entries.push({ canonical: network, key: network, row: rowOf(decoder.decode(offset), schema) })
    if (entries.length < BATCH) continue
    yield entries
    entries = []
  }
  yield entries
}
