import { type FileMetaData, parquetMetadata, parquetReadObjects } from 'hyparquet'
import { stringifyJson } from '../json.ts'
import { checkFile, TooMuch } from './check.ts'
import { codecs } from './codecs.ts'
import type { ParquetJob } from './parquet.ts'
import { decimalOf, jsonOf, parsers } from './values.ts'

/** The rows as lines of JSON. Throws `TooMuch`, or an error that says what is wrong with the file. */
export async function decodeParquet({ bytes, maxBytes, maxRows }: Omit<ParquetJob, 'timeoutMs'>): Promise<Uint8Array> {
  const metadata = parquetMetadata(bytes, { geoparquet: false })
  checkFile(bytes, metadata, { maxBytes, maxRows })
  const scales = takeDecimals(metadata)
  const file = {
    byteLength: bytes.length,
    slice: (start: number, end = bytes.length) => new Uint8Array(bytes.subarray(start, end)).buffer,
  }
  const parts: string[] = []
  let size = 0
  let from = 0
  for (const group of metadata.row_groups) {
    const until = from + Number(group.num_rows)
    const options = {
      file,
      metadata,
      rowStart: from,
      rowEnd: until,
      compressors: codecs,
      parsers,
      utf8: false,
      useOffsetIndex: false,
    }
    for (const row of await parquetReadObjects(options)) {
      const line = `${stringifyJson(rowOf(row, scales))}\n`
      size += Buffer.byteLength(line)
      if (size > maxBytes) throw new TooMuch()
      parts.push(line)
    }
    from = until
  }
  return Buffer.from(parts.join(''))
}

function rowOf(row: Readonly<Record<string, unknown>>, scales: ReadonlyMap<string, number>) {
  const members = Object.entries(row).map(([name, value]) => {
    const scale = scales.get(name)
    return [name, scale === undefined ? jsonOf(value) : decimalOf(value, scale)] as const
  })
  return Object.fromEntries(members)
}

/** The decimal columns by name. The library would turn them into inexact numbers, so it is made to see their digits only. */
function takeDecimals({ schema }: FileMetaData): Map<string, number> {
  const scales = new Map<string, number>()
  // The first element is the whole row; one with children is followed by them.
  for (let i = 1; i < schema.length; i += 1 + descendants(schema, i)) {
    const column = schema[i]!
    if (column.num_children !== undefined || column.repetition_type === 'REPEATED') continue
    if (column.converted_type !== 'DECIMAL' && column.logical_type?.type !== 'DECIMAL') continue
    scales.set(column.name, column.scale ?? 0)
    delete column.converted_type
    delete column.logical_type
  }
  return scales
}

function descendants(schema: FileMetaData['schema'], at: number): number {
  let count = 0
  for (let left = schema[at]!.num_children ?? 0; left > 0; left--) count += 1 + descendants(schema, at + count + 1)
  return count
}
