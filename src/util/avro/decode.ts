import { crc32, inflateRawSync } from 'node:zlib'
import type { JsonValue } from '../../model/json.ts'
import { parseJson, stringifyJson } from '../json.ts'
import { TooMuch } from '../parquet/check.ts'
import type { ParquetJob } from '../parquet/parquet.ts'
import { snappyBlock } from '../unpack/snappy-block.ts'
import { unzstd } from '../unzstd.ts'
import { AvroCursor } from './cursor.ts'
import { isObject, readerOf } from './schema.ts'

const MAGIC = Buffer.from('Obj\u0001')
const SYNC_BYTES = 16
const MAX_SCHEMA_BYTES = 1024 * 1024
/** All values of a file, whatever they take. */
const MAX_VALUES = 100_000_000
/** Values that any file may have, of whatever kind. */
const FREE_VALUES = 1_000_000
/** For each byte of the file: compressed, a byte is rarely more than 100 values. */
const VALUES_PER_BYTE = 200
/** For each byte of a block, decompressed: values that take no bytes, such as null, which a record or a union may have next to others. */
const EMPTY_VALUES_PER_BYTE = 16
const NEWLINE = Buffer.from('\n')

/** What Azure's Event Hubs capture: the body of each event is what was sent. */
const CAPTURED = 'Microsoft.ServiceBus.Messaging'

/** True if the bytes are those of an object container of Avro. */
export function isAvro(bytes: Uint8Array): boolean {
  return MAGIC.equals(bytes.subarray(0, MAGIC.length))
}

/**
 * The values in an object container as lines of JSON (https://avro.apache.org/docs/1.12.0/specification/#object-container-files). Throws
 * `TooMuch`, or an error that says what is wrong with the file.
 */
export function decodeAvro({ bytes, maxBytes, maxRows }: Omit<ParquetJob, 'timeoutMs'>): Uint8Array {
  const file = new AvroCursor(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    Math.min(MAX_VALUES, FREE_VALUES + VALUES_PER_BYTE * bytes.length),
    FREE_VALUES,
  )
  const { schema, codec } = headerOf(file)
  const read = readerOf(schema)
  const isCaptured = isObject(schema) && schema['name'] === 'EventData' && schema['namespace'] === CAPTURED
  const sync = file.take(SYNC_BYTES)
  const parts: Buffer[] = []
  let size = 0
  let rows = 0
  while (file.at < file.bytes.length) {
    const start = file.at
    const count = file.count()
    const packed = file.prefixed()
    if (!file.take(SYNC_BYTES).equals(sync)) throw new Error(`the block at byte ${start} is damaged`)
    rows += count
    if (count < 0 || rows > maxRows) throw new TooMuch()
    const content = unpacked(packed, codec, maxBytes)
    const block = new AvroCursor(content, file.left, file.emptyLeft + EMPTY_VALUES_PER_BYTE * content.length)
    for (let i = 0; i < count; i++) {
      const line = lineOf(read(block, 0), isCaptured)
      size += line.length + 1
      if (size > maxBytes) throw new TooMuch()
      parts.push(line, NEWLINE)
    }
    if (block.at !== block.bytes.length) throw new Error(`the block at byte ${start} has more bytes than values`)
    file.left = block.left
    file.emptyLeft = Math.min(FREE_VALUES, block.emptyLeft)
  }
  return Buffer.concat(parts)
}

function lineOf(value: JsonValue, isCaptured: boolean): Buffer {
  const body = isCaptured && isObject(value) ? value['Body'] : undefined
  return Buffer.from(typeof body === 'string' ? body : stringifyJson(value))
}

function headerOf(file: AvroCursor): { readonly schema: JsonValue; readonly codec: string } {
  file.take(MAGIC.length)
  const metadata = new Map<string, Buffer>()
  for (let count = file.count(); count !== 0; count = file.count()) {
    if (count < 0) file.count()
    for (let left = Math.abs(count); left > 0; left--) metadata.set(file.prefixed().toString(), file.prefixed())
  }
  const text = metadata.get('avro.schema')
  if (!text || text.length > MAX_SCHEMA_BYTES) throw new Error(`it has no schema of at most ${MAX_SCHEMA_BYTES} bytes`)
  const schema = parseJson(text.toString(), { maxDepth: 200 })
  if (schema.kind !== 'ok') throw new Error('its schema is not JSON')
  return { schema: schema.value, codec: metadata.get('avro.codec')?.toString() ?? 'null' }
}

function unpacked(packed: Buffer, codec: string, maxBytes: number): Buffer {
  if (codec === 'null') return packed
  if (codec === 'deflate') {
    try {
      return inflateRawSync(packed, { maxOutputLength: maxBytes })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw new TooMuch()
      throw error
    }
  }
  if (codec === 'snappy') {
    const content = snappyBlock(packed.subarray(0, -4), maxBytes)
    if (packed.length < 4 || crc32(content) !== packed.readUInt32BE(packed.length - 4))
      throw new Error('the checksum of a block is wrong')
    return content
  }
  if (codec === 'zstandard') {
    const result = unzstd(packed, maxBytes)
    if (result.kind === 'too-much') throw new TooMuch()
    if (result.kind === 'broken') throw new Error(result.message)
    return Buffer.concat(result.parts)
  }
  throw new Error(`its codec ${JSON.stringify(codec.slice(0, 40))} is not supported: use null, deflate, snappy or zstandard`)
}
