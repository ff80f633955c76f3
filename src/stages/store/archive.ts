import type { Column, ColumnKind, TableSpec } from '../../model/column.ts'
import { Refused } from '../../util/errors.ts'
import { placed } from './cluster.ts'
import { quoteName, quoteText, type StoredColumn, tableName, typeOf } from './ddl.ts'
import { ONE_BLOCK, type RowFile, rowsOf, type Session, type Settings, settingsText } from './engine.ts'
import { statementError } from './engine-error.ts'
import { goingRows, type RetireAsk } from './partitions.ts'

/** Rows of a table, and a hash of all of them that does not depend on their order. */
export interface RowSum {
  readonly rows: number
  /** The sum of the rows' hashes, modulo 2^64, in decimal. */
  readonly checksum: string
}

/** Rows that were received on one day and are to be deleted. */
export interface ArchiveDay extends RowSum {
  /** UTC, as in 2026-03-02. */
  readonly day: string
  /** Times of the first and the last event, RFC 3339. */
  readonly firstEvent: string
  readonly lastEvent: string
  /** Versions of the schema that made the events. */
  readonly schemaVersions: readonly number[]
}

/** Rows that `retire` would delete, by day. */
export interface ArchiveDays {
  readonly columns: readonly StoredColumn[]
  readonly days: readonly ArchiveDay[]
}

/** A part of a day's rows, chosen by a hash of their ids, so that parts are equally large. */
export interface ExportAsk extends RetireAsk {
  readonly columns: readonly StoredColumn[]
  readonly day: string
  readonly part: number
  readonly parts: number
  /** The Parquet file to write. */
  readonly file: string
}

/** A Parquet file to load into a table that has these columns. Rows that the table already has are left out. */
export interface ImportAsk {
  readonly spec: TableSpec
  readonly columns: readonly StoredColumn[]
  readonly file: string
  /** The same token inserts only once. */
  readonly token: string
}

export interface Imported {
  /** Rows of the file. */
  readonly rows: number
  /** Those that were inserted; the others were there already. */
  readonly inserted: number
}

/** What identifies a row, by database. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  logs: ['p_row_id'],
  matches: ['p_row_id', 'p_rule_id', 'p_alert_id'],
}

/** True for tables whose rows can be archived: those of events and matches. */
export function isArchivable({ database }: { readonly database: string }): boolean {
  return Object.hasOwn(KEYS, database)
}

/** The rows that `retire` would delete, by the day on which they were received. */
export async function archiveDays(session: Session, ask: RetireAsk): Promise<ArchiveDays> {
  const { database, table, id } = ask
  const where = `database = ${quoteText(database)} AND table = ${quoteText(table)}`
  const columns = rowsOf<[string, string]>(
    await session.run(`SELECT name, type FROM system.columns WHERE ${where} ORDER BY position`),
  ).map(([name, type]) => ({ name, type }))
  const text = await session.run(
    `SELECT toString(toDate(p_parse_time, 'UTC')) AS day, count(), toString(${hashOf(columns)}), ${rfc3339('min(p_event_time)')}, ${rfc3339('max(p_event_time)')}, arraySort(groupUniqArray(100)(p_schema_version))
     FROM ${tableName(ask)} WHERE _partition_id = ${quoteText(id)} AND ${await goingRows(session, ask)} GROUP BY day ORDER BY day`,
  )
  type Row = [string, number | string, string, string, string, number[]]
  const days = rowsOf<Row>(text).map(([day, rows, checksum, firstEvent, lastEvent, schemaVersions]) => ({
    ...{ day, rows: Number(rows), checksum, firstEvent, lastEvent, schemaVersions },
  }))
  return { columns, days }
}

const PARQUET: Settings = {
  max_threads: 1,
  output_format_parquet_row_group_size: 50_000,
  output_format_parquet_row_group_size_bytes: 67_108_864,
  output_format_parquet_compression_method: 'zstd',
}

/** Writes a part of a day's rows, then reads the file back. Returns what it contains. */
export async function exportDay(session: Session, ask: ExportAsk, maxMemoryBytes: number): Promise<RowSum> {
  const { columns, day, part, parts, file } = ask
  const names = columns.map(({ name }) => quoteName(name)).join(', ')
  const from = Date.parse(`${day}T00:00:00Z`) / 1000
  const conditions = [
    `_partition_id = ${quoteText(ask.id)}`,
    `p_parse_time >= toDateTime64(${from}, 9, 'UTC') AND p_parse_time < toDateTime64(${from + 86_400}, 9, 'UTC')`,
    `cityHash64(p_row_id) % ${parts} = ${part}`,
    await goingRows(session, ask),
  ]
  try {
    const select = `SELECT ${names} FROM ${tableName(ask)} WHERE ${conditions.join(' AND ')}`
    await session.toFile('Parquet', select, { ...PARQUET, max_memory_usage: maxMemoryBytes }, file)
    return await sumOf(session, file, columns)
  } catch (error) {
    throw statementError(`rows of ${ask.database}.${ask.table} of ${day} cannot be written as Parquet`, error)
  }
}

const MAX_TRIES = 5

/** Loads a file into a table; see `ImportAsk`. `filled`: the stored columns, and what each gets of the file's columns `c0`, `c1` …. */
export async function importFile(
  session: Session,
  { spec, columns, file, token }: ImportAsk,
  filled: { readonly columns: readonly string[]; readonly values: readonly string[] },
): Promise<Imported> {
  const table = tableName(spec)
  const key = `(${KEYS[spec.database]!.map(quoteName).join(', ')})`
  const load = async (from: string): Promise<Imported> => {
    const span = `(SELECT min(p_parse_time) FROM ${from}) AND (SELECT max(p_parse_time) FROM ${from})`
    const isNew = `${key} NOT IN (SELECT ${key} FROM ${table} WHERE p_parse_time BETWEEN ${span})`
    const count = async () => {
      const counted = await session.run(`SELECT count(), countIf(${isNew}) FROM ${from}`)
      return rowsOf<[number, number]>(counted)[0]!.map(Number) as [number, number]
    }
    const [rows, inserted] = await count()
    // An engine that was killed may take the token for known and not have the rows.
    for (let tries = 0, left = inserted; left > 0 && tries < MAX_TRIES; tries++, [, left] = await count())
      await session.run(`INSERT INTO ${table} (${filled.columns.map(quoteName).join(', ')})
SELECT ${filled.values.join(', ')} FROM (
  SELECT ${columns.map(({ name }, i) => `${quoteName(name)} AS c${i}`).join(', ')} FROM ${from} WHERE ${isNew})
SETTINGS ${settingsText({ insert_deduplication_token: tries === 0 ? token : `${token}/again${tries}`, ...ONE_BLOCK, ...placed(session, spec, token) })}`)
    return { rows, inserted }
  }
  try {
    return await session.withFile(parquetFile(file, columns), load)
  } catch (error) {
    throw statementError(`rows cannot be loaded into ${spec.database}.${spec.table}`, error)
  }
}

/** The table as it was when its rows were archived. Throws `Refused` for a type that the lake does not have. */
export function archivedSpec(database: string, table: string, columns: readonly StoredColumn[]): TableSpec {
  return { database, table, timeColumn: 'p_event_time', columns: columns.map(columnOf) }
}

const KINDS: readonly ColumnKind[] = [
  ...(['string', 'int', 'smallint', 'bigint', 'ubigint', 'float', 'boolean', 'timestamp', 'strings'] as const),
]

function columnOf({ name, type }: StoredColumn): Column {
  for (const kind of KINDS)
    for (const required of [true, false]) if (typeOf({ name, kind, required }) === type) return { name, kind, required }
  throw new Refused(`the archived column ${name} has the type ${type}, which the lake does not have`)
}

async function sumOf(session: Session, file: string, columns: readonly StoredColumn[]): Promise<RowSum> {
  const text = await session.withFile(parquetFile(file, columns), (rows) =>
    session.run(`SELECT count(), toString(${hashOf(columns)}) FROM ${rows}`),
  )
  const [rows, checksum] = rowsOf<[number | string, string]>(text)[0]!
  return { rows: Number(rows), checksum }
}

/** Binary rows, in which every value has its own form: NULL and an empty text are different. */
function hashOf(columns: readonly StoredColumn[]): string {
  return `sum(sipHash64(formatRowNoNewline('RowBinary', ${columns.map(({ name }) => quoteName(name)).join(', ')})))`
}

function parquetFile(path: string, columns: readonly StoredColumn[]): RowFile {
  return { path, format: 'Parquet', structure: columns.map(({ name, type }) => `${quoteName(name)} ${type}`).join(', ') }
}

function rfc3339(time: string): string {
  return `concat(replaceOne(toString(${time}, 'UTC'), ' ', 'T'), 'Z')`
}
