import type { Column, ColumnKind } from '../../model/column.ts'
import type { JsonValue } from '../../model/json.ts'
import { WIDTH } from './columns.ts'
import { BLOCK_VERSION, FORM } from './writer.ts'

/** The parts of a block's column. */
export interface Section {
  readonly form: number
  /** With the form `eachOrNull`. */
  readonly nulls: Uint8Array | undefined
  readonly data: Uint8Array
}

export interface Block {
  readonly rows: number
  readonly sections: readonly Section[]
}

/** A block's parts, without copying. Throws if the bytes are not a block. */
export function openBlock(bytes: Uint8Array): Block {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 9 || bytes[0] !== BLOCK_VERSION) throw new Error('finished rows are damaged: no block begins so')
  const rows = view.getUint32(1, true)
  const sections: Section[] = []
  let at = 9
  for (let column = view.getUint32(5, true); column > 0; column--) {
    const form = bytes[at]!
    const end = at + 5 + view.getUint32(at + 1, true)
    const start = at + 5 + (form === FORM.eachOrNull ? rows : 0)
    if (end > bytes.length || start > end) throw new Error('finished rows are damaged: a block ends early')
    sections.push({
      form,
      nulls: form === FORM.eachOrNull ? bytes.subarray(at + 5, start) : undefined,
      data: bytes.subarray(start, end),
    })
    at = end
  }
  return { rows, sections }
}

/** The length before a text, and the offset at which the text begins. */
function readLength(bytes: Uint8Array, at: number): { readonly length: number; readonly start: number } {
  let length = 0
  let scale = 1
  let next = at
  for (;;) {
    const byte = bytes[next++]!
    length += (byte & 0x7f) * scale
    if (byte < 0x80) return { length, start: next }
    scale *= 128
  }
}

/** The offset of the next text. */
export function skipText(bytes: Uint8Array, at: number): number {
  const { length, start } = readLength(bytes, at)
  return start + length
}

/**
 * The first rows of a block, all of them by default, as values in column order: times as RFC 3339 in UTC, integers beyond ±2^53 as
 * BigInts.
 */
export function readBlock(columns: readonly Column[], bytes: Uint8Array, maxRows = Number.POSITIVE_INFINITY): JsonValue[][] {
  const { rows: all, sections } = openBlock(bytes)
  const rows = Math.min(all, maxRows)
  const read = columns.map(({ kind }, i) => readColumn(kind, sections[i]!, rows, all))
  return Array.from({ length: rows }, (_, row) => read.map((values) => values[row]!))
}

/** The first `rows` values of a column with `all` values. */
function readColumn(kind: ColumnKind, { form, nulls, data }: Section, rows: number, all: number): JsonValue[] {
  const nothing = () => (kind === 'strings' ? [] : null)
  if (form === FORM.none) return Array.from({ length: rows }, nothing)
  const count = form === FORM.same ? 1 : rows
  const stored = form === FORM.same ? 1 : all
  const values =
    kind === 'strings'
      ? readLists(data, count, stored)
      : WIDTH[kind] === 0
        ? readTexts(data, 0, count)
        : readFixed(kind, data, count)
  if (form === FORM.same) return Array.from({ length: rows }, () => values[0]!)
  return nulls ? values.map((value, row) => (nulls[row] === 1 ? null : value)) : values
}

function readTexts(data: Uint8Array, from: number, count: number): string[] {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const texts: string[] = []
  let at = from
  while (texts.length < count) {
    const { length, start } = readLength(data, at)
    at = start + length
    texts.push(bytes.toString('utf8', start, at))
  }
  return texts
}

function readLists(data: Uint8Array, count: number, stored: number): string[][] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const lengths = Array.from({ length: count }, (_, row) => view.getUint32(4 * row, true))
  const texts = readTexts(
    data,
    4 * stored,
    lengths.reduce((sum, n) => sum + n, 0),
  )
  let at = 0
  return lengths.map((n) => {
    at += n
    return texts.slice(at - n, at)
  })
}

function readFixed(kind: ColumnKind, data: Uint8Array, count: number): JsonValue[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const width = WIDTH[kind]
  return Array.from({ length: count }, (_, row) => readValue(kind, view, row * width))
}

function readValue(kind: ColumnKind, view: DataView, at: number): JsonValue {
  if (kind === 'boolean') return view.getUint8(at) === 1
  if (kind === 'smallint') return view.getInt16(at, true)
  if (kind === 'int') return view.getInt32(at, true)
  if (kind === 'float') return view.getFloat64(at, true)
  if (kind === 'ubigint') return plain(view.getBigUint64(at, true))
  const value = view.getBigInt64(at, true)
  return kind === 'timestamp' ? timeText(value) : plain(value)
}

function plain(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function timeText(nanos: bigint): string {
  const rest = ((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  const seconds = Number((nanos - rest) / 1_000_000_000n)
  const fraction = String(rest).padStart(9, '0').replace(/0+$/, '')
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction && `.${fraction}`}Z`
}
