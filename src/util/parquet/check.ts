import { type FileMetaData, parquetSchema } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'

/** The file decodes to more than the limits allow. */
export class TooMuch extends Error {}

const MAX_COLUMNS = 1000
const MAX_DEPTH = 16
/** Values per column; nested columns have several per row. */
const MAX_VALUES = 20_000_000

/**
 * Encodings of which no value takes more memory than its page. DELTA_BYTE_ARRAY is not among them: each of its values may repeat the
 * one before.
 */
const ENCODINGS = new Set([
  'PLAIN',
  'PLAIN_DICTIONARY',
  'RLE',
  'RLE_DICTIONARY',
  'DELTA_BINARY_PACKED',
  'DELTA_LENGTH_BYTE_ARRAY',
  'BYTE_STREAM_SPLIT',
])

/** Checks what the decoder trusts: sizes and counts in the headers of the file and its pages. Throws if they cannot be right. */
export function checkFile(
  bytes: Uint8Array,
  metadata: FileMetaData,
  { maxBytes, maxRows }: { maxBytes: number; maxRows: number },
): void {
  if (Number(metadata.num_rows) > maxRows) throw new TooMuch()
  if (metadata.schema.length > MAX_COLUMNS) throw new Error(`it has more than ${MAX_COLUMNS} columns`)
  checkNames(parquetSchema(metadata), 0)
  let size = 0
  let rows = 0
  for (const group of metadata.row_groups) {
    rows += Number(group.num_rows)
    if (rows > Number(metadata.num_rows)) throw new Error('its row groups have more rows than it announces')
    for (const { meta_data: column, file_path: path } of group.columns) {
      if (!column || path) throw new Error('its columns are in other files')
      size += checkPages(bytes, column)
      if (size > maxBytes) throw new TooMuch()
    }
  }
}

type Node = ReturnType<typeof parquetSchema>

function checkNames({ children, element }: Node, depth: number): void {
  if (depth > MAX_DEPTH) throw new Error(`its columns are nested deeper than ${MAX_DEPTH}`)
  if (element.name === '__proto__') throw new Error('a column is called __proto__')
  if ((element.type_length ?? 0) > 1024) throw new Error('a column has values of more than 1024 bytes')
  for (const child of children) checkNames(child, depth + 1)
}

type Column = NonNullable<FileMetaData['row_groups'][number]['columns'][number]['meta_data']>

/** Walks the pages of a column in one row group and returns their size after decompression. */
function checkPages(bytes: Uint8Array, column: Column): number {
  const start = Number(column.dictionary_page_offset ?? column.data_page_offset)
  const end = start + Number(column.total_compressed_size)
  if (!(start >= 4 && start <= end && end <= bytes.length)) throw new Error('it is cut off, or its directory is damaged')
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset + start, end - start), offset: 0 }
  let size = 0
  let values = 0
  while (reader.offset < end - start - 1) {
    const { uncompressed_page_size: unpacked, compressed_page_size: packed, ...header } = parquetHeader(reader)
    const page = header.data_page_header ?? header.data_page_header_v2 ?? header.dictionary_page_header
    if (!(unpacked >= 0 && packed >= 0 && reader.offset + packed <= end - start)) throw new Error('a page has an impossible size')
    if (!page || !(page.num_values >= 0)) throw new Error('a page is damaged')
    if (!ENCODINGS.has(page.encoding)) throw new Error(`a column has the encoding ${page.encoding}, which is not supported`)
    if (page.encoding === 'BYTE_STREAM_SPLIT' && column.type === 'FIXED_LEN_BYTE_ARRAY')
      throw new Error('a column of bytes has the encoding BYTE_STREAM_SPLIT, which is not supported')
    size += unpacked
    values += page.num_values
    if (values > MAX_VALUES) throw new TooMuch()
    reader.offset += packed
  }
  return size
}
