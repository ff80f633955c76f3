import type { LoadedTable } from '../../packs/compile.ts'
import { buildTable } from '../../stages/enrich/build.ts'
import { unpack } from '../../stages/enrich/content.ts'
import { failedChecks } from '../../stages/enrich/content-checks.ts'
import { chooseFormat, formats, MMDB } from '../../stages/enrich/formats/index.ts'
import { isMmdb } from '../../stages/enrich/mmdb/metadata.ts'
import { TableError } from '../../stages/enrich/table.ts'
import { diffContents, type TableDiff } from '../../stages/enrich/versions/diff.ts'
import type { EntrySource } from '../../stages/enrich/versions/entries.ts'
import { editedContent, type RowEdits } from './row-edits.ts'

/** Content that is to take the place of a table's file. */
export interface NewContent {
  /** May be compressed. */
  readonly bytes: Uint8Array
  /** The name of the table's file. */
  readonly fileName: string
  /** Edits of its rows; absent: it is used as it is. */
  readonly edits?: RowEdits
  /** The content in force; absent if the table has no rows yet. */
  readonly before: EntrySource | undefined
  readonly rowsBefore: number | undefined
  /** Maximum number of keys of each kind to list. */
  readonly limit: number
}

/** What content would be as the table. */
export interface Revised {
  /** The content as it is to be written. */
  readonly bytes: Uint8Array
  /** As the table names it, without a date. */
  readonly version: string
  readonly rows: number
  readonly skipped: number
  /** Why rows are skipped, for the first few. */
  readonly examples: readonly string[]
  /** Checks of the table that it does not pass. */
  readonly failed: readonly string[]
  /** Checks of how much the table changes that it does not pass, which may be passed over. */
  readonly unusual: readonly string[]
  readonly diff: TableDiff
}

/**
 * Reads new content exactly as it will be read once it is in the table's file.
 *
 * @throws {TableError} if it cannot be used.
 */
export async function revise(table: LoadedTable, content: NewContent): Promise<Revised> {
  const { definition, schema } = table
  const { fileName, edits, before, rowsBefore, limit } = content
  const given = await unpack(content.bytes)
  if (isMmdb(given) || definition.format === MMDB) throw new TableError('an MMDB is replaced as a file, not uploaded')
  const bytes = edits ? await editedContent(table, { bytes: given, fileName }, edits) : given
  checkKind(bytes, fileName, definition)
  const built = await buildTable(definition, schema, { bytes, fileName, date: definition.contentDate })
  const failed = failedChecks(built, definition.checks, undefined)
  const unusual = failedChecks(built, definition.checks, rowsBefore).filter((check) => !failed.includes(check))
  const limits = { added: limit, removed: limit, changed: limit, worsened: limit }
  const after = { bytes, fileName }
  const diff = await diffContents(table, before, after, limits).catch((error: unknown) => {
    // The content in force may be what this one repairs.
    if (!before || !(error instanceof TableError)) throw error
    return diffContents(table, undefined, after, limits)
  })
  const { version, size: rows, skipped } = built
  return { bytes, version, rows, skipped: skipped.count, examples: skipped.examples, failed, unusual, diff }
}

/** A file is what its name says: the next reader need not guess. */
function checkKind(bytes: Uint8Array, fileName: string, { format, primaryKey, rowsAt }: LoadedTable['definition']): void {
  if (format !== undefined) return
  const byName = formats.find(({ extensions }) => extensions.some((end) => fileName.toLowerCase().endsWith(end)))
  const head = Buffer.from(bytes.subarray(0, 4096)).toString()
  const { type } = chooseFormat(head, { type: undefined, fileName, primaryKey, rowsAt })
  if (byName && byName.type !== type && !(byName.type === 'json' && type === 'jsonl'))
    throw new TableError(`the table's file ${fileName} is ${byName.type}, and this is ${type}: upload ${byName.type}`)
}
