import { type IpFamily, parseIp } from '../../../model/ip.ts'
import { isObject, type JsonObject, type JsonValue } from '../../../model/json.ts'
import type { Slice } from '../../../util/slice.ts'
import type { Binding } from '../associations.ts'
import { versionOf } from '../content.ts'
import type { SkippedRows, Table } from '../table.ts'
import type { TableSchema } from '../table-schema.ts'
import type { AddressBatch } from '../tables/address-batch.ts'
import type { TableRow } from '../tables/row-store.ts'
import { sharedBytes } from '../tables/shared.ts'
import { Decoder, damaged } from './decoder.ts'
import { type Metadata, readMetadata } from './metadata.ts'
import { Tree } from './tree.ts'

/** Such a table without its schema, to be sent to another thread, which then shares the memory. */
export interface MmdbImage {
  readonly kind: 'mmdb'
  readonly name: string
  readonly version: string
  readonly size: number
  readonly binding: Binding
  /** The file, in shared memory. */
  readonly file: Uint8Array
}

const KEPT = 1024
/** All records of a city database have some ten million values; a small hostile file can mean far more. */
const MAX_VALUES = 100_000_000
const NOTHING_SKIPPED: SkippedRows = { count: 0, examples: [] }

/**
 * A MaxMind DB as a table of networks. The file itself is the index, so a table of five million networks takes no more memory than its
 * file, and a swap costs nothing. A row's number is its offset in the data.
 */
export class MmdbTable implements Table {
  readonly image: MmdbImage
  readonly name: string
  readonly version: string
  readonly match = 'cidr'
  readonly size: number
  readonly bytes: number
  readonly skipped = NOTHING_SKIPPED
  readonly binding: Binding
  readonly hasAddresses = true
  readonly isList = false
  readonly isExpiring = false
  readonly #tree: Tree
  readonly #decoder: Decoder
  readonly #schema: TableSchema | undefined
  readonly #words = new Uint32Array(4)
  readonly #kept: ({ readonly number: number; readonly row: TableRow } | undefined)[] = []

  /** Opens a file that this or another thread has checked. */
  constructor(image: MmdbImage, schema: TableSchema | undefined) {
    this.image = image
    this.name = image.name
    this.version = image.version
    this.size = image.size
    this.bytes = image.file.length
    this.binding = image.binding
    this.#schema = schema
    const metadata = readMetadata(image.file)
    this.#tree = new Tree(image.file, metadata)
    this.#decoder = new Decoder(image.file.subarray(metadata.dataStart, metadata.dataEnd))
  }

  find(key: string): number {
    return this.#find(parseIp(key, this.#words), this.#words, 0)
  }

  findAll({ size, families, words }: AddressBatch, rows: Int32Array): void {
    for (let i = 0; i < size; i++) rows[i] = this.#find(families[i] as IpFamily, words, i * 4)
  }

  #find(family: IpFamily, words: Uint32Array, at: number): number {
    if (family === 4) return this.#tree.findIpv4(words[at]!)
    return family === 6 ? this.#tree.findIpv6(words, at) : -1
  }

  row(number: number): TableRow {
    const kept = this.#kept[number % KEPT]
    if (kept?.number === number) return kept.row
    const values = rowOf(this.#decoder.decode(number), this.#schema)
    const row = { values, indicators: this.#schema?.indicators(values) ?? {} }
    this.#kept[number % KEPT] = { number, row }
    return row
  }

  list(number: number): readonly TableRow[] {
    return [this.row(number)]
  }

  get(key: string): JsonObject | undefined {
    const number = this.find(key)
    return number < 0 ? undefined : this.row(number).values
  }
}

/** The properties of a table that come from its definition and content. */
export interface MmdbContent {
  readonly name: string
  readonly binding: Binding
  readonly schema: TableSchema | undefined
  /** The file. */
  readonly bytes: Uint8Array
  /** Date of the content, `YYYY-MM-DD`; the build date is in the file itself. */
  readonly date: string | undefined
}

/** Builds the table, in slices. Throws `TableError` when any part of the file is damaged. */
export async function buildMmdb({ name, binding, schema, bytes, date }: MmdbContent, slice: Slice): Promise<MmdbTable> {
  const file = sharedBytes(bytes.length)
  file.set(bytes)
  const { metadata, size } = await checkMmdb(file, slice)
  const version = versionOf(bytes, date ?? metadata.date)
  return new MmdbTable({ kind: 'mmdb', name, version, size, binding, file }, schema)
}

/** Checks a whole file, in slices. Throws `TableError` when any part of it is damaged. */
async function checkMmdb(file: Uint8Array, slice: Slice): Promise<{ readonly metadata: Metadata; readonly size: number }> {
  const metadata = readMetadata(file)
  const { offsets, networks } = await new Tree(file, metadata).check(slice)
  const decoder = new Decoder(file.subarray(metadata.dataStart, metadata.dataEnd))
  let values = 0
  for (const offset of offsets) {
    rowOf(decoder.decode(offset), undefined)
    values += decoder.values
    if (values > MAX_VALUES) throw damaged(`its records have more than ${MAX_VALUES} values`)
    await slice()
  }
  if (networks === 0) throw damaged('it has no network')
  return { metadata, size: networks }
}

/** A row is a map; anything else is stored under `value`. With a schema, only its fields remain. */
export function rowOf(value: JsonValue, schema: TableSchema | undefined): JsonObject {
  const row = isObject(value) ? value : { value }
  const fields = schema?.fields
  return inEnglish(fields ? Object.fromEntries(Object.entries(row).filter(([key]) => fields.has(key))) : row) as JsonObject
}

/** Place names come in eight languages, which would add a kilobyte to each event: only the English name is used, if it exists. */
function inEnglish(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((one) => inEnglish(one as JsonValue))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => {
      const inner = one as JsonValue
      const isTranslated = key === 'names' && isObject(inner) && typeof inner['en'] === 'string'
      return [key, isTranslated ? { en: inner['en'] as string } : inEnglish(inner)]
    }),
  )
}
