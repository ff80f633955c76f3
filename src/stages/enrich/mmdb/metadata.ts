import { isObject, type JsonObject } from '../../../model/json.ts'
import { TableError } from '../table.ts'
import { Decoder, damaged } from './decoder.ts'

/** The metadata of a MaxMind DB, validated. */
export interface Metadata {
  readonly nodeCount: number
  /** Size in bits of each of a node's two records. */
  readonly recordBits: 24 | 28 | 32
  readonly ipVersion: 4 | 6
  /** `GeoLite2-City`, for example. */
  readonly type: string
  /** Build date, `YYYY-MM-DD`. */
  readonly date: string
  /** Size in bytes of the search tree, which is at the start of the file. */
  readonly treeBytes: number
  /** Start and end of the data section. */
  readonly dataStart: number
  readonly dataEnd: number
}

const MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1')
/** The metadata starts within the last 128 KiB. */
const MAX_METADATA = 128 * 1024
/** Number of zero bytes between tree and data. */
const SEPARATOR = 16

/** Whether these are the bytes of a MaxMind DB. */
export function isMmdb(bytes: Uint8Array): boolean {
  return markerOf(bytes) >= 0
}

function markerOf(bytes: Uint8Array): number {
  const tail = Math.max(0, bytes.length - MAX_METADATA)
  const at = Buffer.from(bytes.buffer, bytes.byteOffset + tail, bytes.length - tail).lastIndexOf(MARKER)
  return at < 0 ? -1 : tail + at
}

/** @throws {TableError} for a file in another format or of an unknown version. */
export function readMetadata(bytes: Uint8Array): Metadata {
  const marker = markerOf(bytes)
  if (marker < 0) throw damaged('it has no metadata')
  const value = new Decoder(bytes.subarray(marker + MARKER.length)).decode(0)
  if (!isObject(value)) throw damaged('its metadata is no map')
  const version = whole(value, 'binary_format_major_version')
  if (version !== 2) throw new TableError(`the MMDB database has format version ${version}; only version 2 is known`)
  const nodeCount = whole(value, 'node_count')
  const recordBits = whole(value, 'record_size')
  const ipVersion = whole(value, 'ip_version')
  if (recordBits !== 24 && recordBits !== 28 && recordBits !== 32) throw damaged(`a record size of ${recordBits} bits`)
  if (ipVersion !== 4 && ipVersion !== 6) throw damaged(`IP version ${ipVersion}`)
  const treeBytes = (nodeCount * recordBits) / 4
  const dataStart = treeBytes + SEPARATOR
  if (dataStart > marker) throw damaged(`a tree of ${nodeCount} nodes does not fit into the file`)
  if (bytes.subarray(treeBytes, dataStart).some((byte) => byte !== 0)) throw damaged('no data section follows the tree')
  const type = typeof value['database_type'] === 'string' ? value['database_type'] : 'unknown'
  return { nodeCount, recordBits, ipVersion, type, date: dateOf(value), treeBytes, dataStart, dataEnd: marker }
}

function dateOf(metadata: JsonObject): string {
  const date = new Date(whole(metadata, 'build_epoch') * 1000)
  const year = date.getUTCFullYear()
  if (!(year >= 1970 && year <= 9999)) throw damaged('its build date is no date')
  return date.toISOString().slice(0, 10)
}

function whole(metadata: JsonObject, key: string): number {
  const value = metadata[key]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw damaged(`its ${key} is no whole number`)
  return value
}
