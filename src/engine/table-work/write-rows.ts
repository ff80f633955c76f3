import { writeFile } from 'node:fs/promises'
import type { JsonObject, JsonValue } from '../../model/json.ts'
import type { LoadedTable } from '../../packs/compile.ts'
import { unpack } from '../../stages/enrich/content.ts'
import { MMDB } from '../../stages/enrich/formats/index.ts'
import { isMmdb } from '../../stages/enrich/mmdb/metadata.ts'
import { timeIn } from '../../stages/enrich/row-times.ts'
import { type EntrySource, entriesOf } from '../../stages/enrich/versions/entries.ts'
import type { LookupColumn, LookupColumnKind } from '../../stages/store/lookups.ts'
import { stringifyJson } from '../../util/json.ts'

/** Limits of a table that can be read in SQL. */
export interface WriteLimits {
  readonly rows: number
  /** Of all rows as JSON. */
  readonly chars: number
}

const LIMITS: WriteLimits = { rows: 200_000, chars: 64 * 1024 * 1024 }

/** More columns than this are only shown in `p_row`. */
const MAX_COLUMNS = 300

/** What was written, or why not. */
export interface WrittenRows {
  readonly columns: readonly LookupColumn[]
  /** Continues `table <name>`. */
  readonly reason?: string
}

/** Writes the rows of a content that count as JSON arrays of key and row, one per line. Nothing is written if there is a reason not to. */
export async function writeRows(
  table: LoadedTable,
  content: EntrySource,
  file: string,
  limits: WriteLimits = LIMITS,
): Promise<WrittenRows> {
  const { definition } = table
  const keyColumns = definition.key.columns.map((name): LookupColumn => ({ name, kind: 'text' }))
  const bytes = await unpack(content.bytes, { max_bytes: definition.provider?.max_bytes })
  if (definition.format === MMDB || (definition.format === undefined && isMmdb(bytes)))
    return { columns: keyColumns, reason: 'is an MMDB file, which is read in place: its rows are not in the lake' }
  const columns = new Columns()
  const rows = new ChosenRows(definition.rowChoice, definition.newestBy)
  for await (const batch of entriesOf(table, { ...content, bytes })) {
    for (const { canonical, key, row } of batch) {
      columns.add(row)
      rows.add(canonical, key, row)
    }
    if (rows.count > limits.rows || rows.chars > limits.chars) {
      const most = `${limits.rows.toLocaleString('en')} rows or ${Math.round(limits.chars / 1024 / 1024)} MiB`
      return { columns: columns.list(), reason: `has more than ${most}: its rows are not in the lake` }
    }
  }
  await writeFile(file, rows.lines(), { mode: 0o600 })
  return { columns: columns.list() }
}

/** The rows that count for each key, as lines. */
class ChosenRows {
  readonly #choice: LoadedTable['definition']['rowChoice']
  readonly #newestBy: string | undefined
  readonly #byKey = new Map<string, { readonly line: string; readonly time: number }>()
  chars = 0

  constructor(choice: LoadedTable['definition']['rowChoice'], newestBy: string | undefined) {
    this.#choice = choice
    this.#newestBy = newestBy
  }

  get count(): number {
    return this.#byKey.size
  }

  add(canonical: string, key: string, row: JsonObject): void {
    const line = JSON.stringify([key.toWellFormed(), fixedText(row)])
    const place = this.#choice === 'all' ? line : canonical
    const before = this.#byKey.get(place)
    if (before && this.#choice === 'first') return
    const time = this.#timeOf(row)
    if (before && time < before.time) return
    this.chars += line.length - (before?.line.length ?? 0)
    this.#byKey.set(place, { line, time })
  }

  *lines(): Generator<string> {
    for (const { line } of this.#byKey.values()) yield `${line}\n`
  }

  #timeOf(row: JsonObject): number {
    if (this.#choice !== 'newest' || this.#newestBy === undefined) return 0
    const time = timeIn(row, this.#newestBy)
    return typeof time === 'number' ? time : Number.NEGATIVE_INFINITY
  }
}

/** Independent of the order of columns, so that it is the same row if only that has changed. */
function fixedText(row: JsonObject): string {
  return stringifyJson(
    Object.fromEntries(
      Object.keys(row)
        .sort()
        .map((name) => [name, row[name]!]),
    ),
  )
}

/** Finds out what the columns of rows contain. */
class Columns {
  readonly #kinds = new Map<string, LookupColumnKind | undefined>()

  add(row: JsonObject): void {
    for (const name of Object.keys(row)) {
      const known = this.#kinds.get(name)
      if (known === 'text') continue
      if (!this.#kinds.has(name) && (this.#kinds.size >= MAX_COLUMNS || name === '' || /^p_/i.test(name))) continue
      this.#kinds.set(name, joined(known, kindOf(row[name]!)))
    }
  }

  list(): LookupColumn[] {
    return [...this.#kinds].map(([name, kind]) => ({ name, kind: kind ?? 'text' }))
  }
}

function kindOf(value: JsonValue): LookupColumnKind | undefined {
  if (value === null) return undefined
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? 'integer' : 'text'
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'integer' : 'number'
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? 'texts' : 'text'
}

/** The kind of a column with values of both. */
function joined(a: LookupColumnKind | undefined, b: LookupColumnKind | undefined): LookupColumnKind | undefined {
  if (a === undefined || b === undefined || a === b) return a ?? b
  const isNumeric = [a, b].every((kind) => kind === 'integer' || kind === 'number')
  return isNumeric ? 'number' : 'text'
}
