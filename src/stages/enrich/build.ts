import type { JsonObject } from '../../model/json.ts'
import { createSlice, inParts, type Slice } from '../../util/slice.ts'
import { textOf, unpack, versionOf } from './content.ts'
import type { TableDefinition } from './definition.ts'
import type { ReadRow } from './formats/format.ts'
import { quote } from './formats/format.ts'
import { chooseFormat, MMDB } from './formats/index.ts'
import { isMmdb } from './mmdb/metadata.ts'
import { buildMmdb } from './mmdb/mmdb-table.ts'
import { type KeyedRow, keyKindOf, RowShaper } from './read-row.ts'
import { timeIn } from './row-times.ts'
import { type Table, TableError } from './table.ts'
import { schemaOfIndicators, type TableSchema } from './table-schema.ts'
import { MAX_ROW } from './tables/entries.ts'
import type { KeyKind } from './tables/index.ts'
import { MemoryTable } from './tables/memory-table.ts'
import { groupRows, type RowChoice, rowsIn } from './tables/row-groups.ts'
import { RowStoreBuilder } from './tables/row-store.ts'
import { sharedFloat64 } from './tables/shared.ts'

/** Content to build a table from. */
export interface TableContent {
  /** As received, possibly compressed. */
  readonly bytes: Uint8Array
  /** A hint at the format. */
  readonly fileName?: string | undefined
  /** Date of the content, `YYYY-MM-DD`, if known; part of the version. */
  readonly date?: string | undefined
}

export interface BuildOptions {
  readonly maxBytes?: number
  /** Maximum number of rows. */
  readonly maxRows?: number
  /** Maximum build time. */
  readonly timeoutMs?: number
}

const DEFAULT_MAX_ROWS = 2_000_000
const DEFAULT_TIMEOUT_MS = 120_000
const EXAMPLES = 3
const MAX_COLUMNS_SHOWN = 50

/**
 * Builds a table from content, in slices of some milliseconds, so that the thread can continue its other work.
 *
 * @throws {TableError} if the content cannot be read, has no usable row, or more than half of its rows are unusable.
 */
export async function buildTable(
  definition: TableDefinition,
  fileSchema: TableSchema | undefined,
  content: TableContent,
  { maxBytes = definition.provider?.max_bytes, maxRows = DEFAULT_MAX_ROWS, timeoutMs = DEFAULT_TIMEOUT_MS }: BuildOptions = {},
): Promise<Table> {
  const mostRows = Math.min(maxRows, MAX_ROW)
  const unpacked = await unpack(content.bytes, { max_bytes: maxBytes })
  const { key, primaryKey, indicators } = definition
  const schema = fileSchema ?? (indicators && schemaOfIndicators(indicators))
  const missing = key.columns.find((column) => schema?.fields?.has(column) === false)
  if (missing !== undefined) {
    throw new TableError(`the primary key '${missing}' is not a field of the schema '${schema!.name}'`)
  }
  const { newestBy } = definition
  if (newestBy !== undefined && schema?.fields?.has(newestBy) === false)
    throw new TableError(`NewestBy: '${newestBy}' is not a field of the schema '${schema.name}'`)
  const slice = withDeadline(createSlice(), timeoutMs)
  const { name, associations, added, byValue } = definition
  const automatic = key.kind === 'composite' ? undefined : schema?.automaticOf(primaryKey)
  const binding = { associations, added, automatic, byValue }
  if (definition.format === MMDB || (definition.format === undefined && isMmdb(unpacked))) {
    if (key.kind !== 'column' || definition.rowChoice !== 'last' || schema?.expiration !== undefined)
      throw new TableError(
        'an MMDB has one row for each network: PrimaryKey must be one name, and neither RowsPerKey nor isExpiration can be used',
      )
    return buildMmdb({ name, binding, schema, bytes: unpacked, date: content.date }, slice)
  }
  const text = await textOf(unpacked, definition)
  const format = chooseFormat(text, { ...definition, type: definition.format, fileName: content.fileName })
  const reader = new RowReader(
    new RowShaper(format, schema, key),
    { newestBy, expiration: schema?.expiration },
    named(definition),
  )
  for await (const batch of format.read(text, definition)) {
    for (const row of batch) reader.take(row)
    if (reader.rows.size > mostRows) throw new TableError(`the content has more than ${mostRows} rows`)
    await slice()
  }
  reader.checkColumns()
  const kind = keyKindOf({ definition, schema, format, text, keys: reader.keys })
  const { index, ...several } = await indexRows(reader, kind, definition.rowChoice, slice)
  const match = kind.type
  checkShare(reader, match, definition.mayBeEmpty)
  const image = {
    name,
    version: versionOf(unpacked, content.date),
    match,
    rows: reader.rows.build(),
    index: index.parts,
    ...several,
    skipped: { count: reader.skipped, examples: reader.examples },
    binding,
  }
  return new MemoryTable(image, schema)
}

/** Columns that a definition names, by name: where it does. */
function named({ newestBy, verdict, indicators }: TableDefinition): Map<string, string> {
  return new Map([
    ...Object.keys(indicators ?? {}).map((column) => [column, 'Indicators'] as const),
    ...(verdict ? [[verdict.Column, 'Verdict.Column'] as const] : []),
    ...(newestBy === undefined ? [] : [[newestBy, 'NewestBy'] as const]),
  ])
}

/** Columns with times. */
interface TimeColumns {
  readonly newestBy: string | undefined
  readonly expiration: string | undefined
}

/** Collects usable rows with their keys, and counts the others. */
class RowReader {
  readonly rows = new RowStoreBuilder()
  /** One entry per key; a row may have several (a list as primary key). */
  readonly keys: string[] = []
  readonly keyRows: number[] = []
  readonly examples: string[] = []
  skipped = 0
  /** Skipped rows whose keys were already collected. */
  refused = 0
  /** Rows of a wide format that this table deliberately leaves out. */
  unwanted = 0
  /** Time of each row, if the newest counts; rows without one are the oldest. */
  readonly newest: number[] = []
  readonly #shaper: RowShaper
  /** When each row expires, if rows do. */
  readonly expires: number[] = []
  readonly #times: TimeColumns
  /** Columns that the definition names and that no row has had so far. */
  readonly #unseen: Map<string, string>
  readonly #columns = new Set<string>()

  constructor(shaper: RowShaper, times: TimeColumns, named: Map<string, string>) {
    this.#shaper = shaper
    this.#times = times
    this.#unseen = named
  }

  /** A wrong name would go unnoticed otherwise: rows without an indicator, without a verdict, or in no order. */
  checkColumns(): void {
    const [wrong] = this.#unseen
    if (wrong === undefined || this.rows.size === 0) return
    const [column, where] = wrong
    throw new TableError(`${where}: no row has a column '${column}'; there are ${[...this.#columns].join(', ')}`)
  }

  take(read: ReadRow): void {
    const shaped = this.#shaper.shape(read)
    if (typeof shaped === 'string') this.skip(shaped)
    else if (shaped === undefined) this.unwanted++
    else this.#keep(shaped)
  }

  #keep({ keys, row }: KeyedRow): void {
    const { newestBy, expiration } = this.#times
    const newest = newestBy === undefined ? undefined : timeIn(row, newestBy)
    const expires = expiration === undefined ? undefined : timeIn(row, expiration)
    const unreadable = [newest, expires].find((time) => typeof time === 'string')
    if (unreadable !== undefined) {
      this.skip(unreadable as string)
      return
    }
    if (newestBy !== undefined) this.newest.push((newest as number | undefined) ?? Number.NEGATIVE_INFINITY)
    if (expiration !== undefined) this.expires.push((expires as number | undefined) ?? Number.POSITIVE_INFINITY)
    for (const key of keys) {
      this.keys.push(key)
      this.keyRows.push(this.rows.size)
    }
    this.rows.add(row)
    if (this.#unseen.size > 0) this.#look(row)
  }

  #look(row: JsonObject): void {
    for (const column of Object.keys(row)) {
      this.#unseen.delete(column)
      if (this.#columns.size < MAX_COLUMNS_SHOWN) this.#columns.add(column)
    }
  }

  /** A collected key does not fit this kind of table. */
  refuse(sentence: string): void {
    this.refused++
    this.skip(sentence)
  }

  skip(sentence: string): void {
    this.skipped++
    if (this.examples.length < EXAMPLES) this.examples.push(sentence)
  }
}

async function indexRows(reader: RowReader, kind: KeyKind<Table['match']>, choice: RowChoice, slice: Slice) {
  const { keys, keyRows, newest, expires } = reader
  const isList = choice === 'all'
  const builder = kind.createBuilder({ isNested: expires.length > 0 })
  const add = (some: readonly string[], rowOf: (at: number) => number) =>
    inParts(some.length, slice, (from, to) => {
      for (let i = from; i < to; i++) {
        if (!builder.add(some[i]!, rowOf(i))) reader.refuse(`${quote(some[i]!)} is not a key of this table: ${kind.help}`)
      }
    })
  // Builders prefer the last of equal keys themselves.
  if (choice === 'last' && expires.length === 0) {
    await add(keys, (at) => keyRows[at]!)
    return { index: await builder.build(slice) }
  }
  const { keys: distinct, groups } = await groupRows({ keys, rows: keyRows }, kind, { choice, newest }, slice)
  if (!isList && expires.length === 0) {
    await add(distinct, (at) => rowsIn(groups, at)[0]!)
    return { index: await builder.build(slice) }
  }
  await add(distinct, (at) => at)
  return { index: await builder.build(slice), groups, isList, ...(expires.length > 0 && { expires: shared(expires) }) }
}

function shared(times: readonly number[]): Float64Array {
  const array = sharedFloat64(times.length)
  array.set(times)
  return array
}

/** Mostly unusable content is not what it should be, but an error page or another format. */
function checkShare(reader: RowReader, match: Table['match'], mayBeEmpty: boolean): void {
  const { skipped, refused, unwanted, examples, keys } = reader
  const all = keys.length + skipped - refused
  const why = examples.length > 0 ? `: ${examples.join('; ')}` : ''
  // Valid content without a row for this table: an empty table, not a failure.
  if (keys.length === 0 && (unwanted > 0 || mayBeEmpty) && skipped === 0) return
  if (keys.length === refused) throw new TableError(`the content has no usable row${why}`)
  if (skipped > all / 2) throw new TableError(`${skipped} of ${all} rows cannot be used as ${match} keys${why}`)
}

function withDeadline(slice: Slice, timeoutMs: number): Slice {
  const until = performance.now() + timeoutMs
  return () => {
    if (performance.now() > until) throw new TableError(`building the table took longer than ${timeoutMs} ms`)
    return slice()
  }
}
