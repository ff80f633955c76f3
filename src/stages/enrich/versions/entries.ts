import { textOf, unpack } from '../content.ts'
import type { TableDefinition } from '../definition.ts'
import { chooseFormat, MMDB } from '../formats/index.ts'
import { isMmdb } from '../mmdb/metadata.ts'
import { mmdbEntries } from '../mmdb/networks.ts'
import { type Entry, keyKindOf, RowShaper } from '../read-row.ts'
import type { Table } from '../table.ts'
import { schemaOfIndicators, type TableSchema } from '../table-schema.ts'
import type { KeyKind } from '../tables/index.ts'

/** A table, as far as reading its content depends on it. */
export interface ReadTable {
  readonly definition: TableDefinition
  readonly schema: TableSchema | undefined
}

/** Content of a table, as received. */
export interface EntrySource {
  readonly bytes: Uint8Array
  readonly fileName?: string | undefined
}

/** Keys read before it is decided how they are compared, if only they can say. */
const SAMPLE = 1000

/**
 * The entries of a table's content, in batches, without building the table: memory stays that of the content. Rows that the table
 * skips are left out.
 *
 * @throws {TableError} if the content cannot be read.
 */
export async function* entriesOf({ definition, schema: fileSchema }: ReadTable, content: EntrySource): AsyncGenerator<Entry[]> {
  const { indicators } = definition
  const unpacked = await unpack(content.bytes, { max_bytes: definition.provider?.max_bytes })
  const schema = fileSchema ?? (indicators && schemaOfIndicators(indicators))
  if (definition.format === MMDB || (definition.format === undefined && isMmdb(unpacked))) {
    yield* mmdbEntries(unpacked, schema)
    return
  }
  const text = await textOf(unpacked, definition)
  const format = chooseFormat(text, { ...definition, type: definition.format, fileName: content.fileName })
  const shaper = new RowShaper(format, schema, definition.key)
  const { canonical } = await decideKind()
  for await (const batch of format.read(text, definition)) {
    const entries: Entry[] = []
    for (const read of batch) {
      const shaped = shaper.shape(read)
      if (typeof shaped !== 'object') continue
      for (const key of shaped.keys) {
        const one = canonical(key)
        if (one !== undefined) entries.push({ canonical: one, key, row: shaped.row })
      }
    }
    yield entries
  }

  async function decideKind(): Promise<KeyKind<Table['match']>> {
    const keys: string[] = []
    for await (const batch of format.read(text, definition)) {
      for (const read of batch) {
        const shaped = shaper.shape(read)
        if (typeof shaped === 'object') keys.push(...shaped.keys)
      }
      if (keys.length >= SAMPLE) break
    }
    return keyKindOf({ definition, schema, format, text, keys })
  }
}
