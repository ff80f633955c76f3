import type { Column, ColumnKind } from '../../model/column.ts'
import { nanoseconds } from './nanoseconds.ts'
import { type BlockWriter, FORM } from './writer.ts'

/** Writes one value of a kind. Returns false if the kind cannot represent it. */
type WriteValue = (value: never, out: BlockWriter) => boolean

/** Writes a column; see `ColumnSink`. */
export function writeColumn(column: Column, values: readonly unknown[], out: BlockWriter): void {
  if (sameInAll(values, out.rows, column.kind)) writeSame(column, values[0], out)
  else if (column.kind === 'strings') writeLists(column, values as readonly (readonly string[] | null)[], out)
  else writeEach(column, values, out)
}

/** Writes a column that has the same value in every row. */
export function writeSame(column: Column, value: unknown, out: BlockWriter): void {
  const isList = column.kind === 'strings'
  if (value === null || value === undefined || (isList && (value as readonly string[]).length === 0)) {
    if (column.required && !isList)
      for (let row = 0; row < out.rows; row++) out.unfit(row, `column '${column.name}' needs a value`)
    out.begin(FORM.none)
  } else {
    out.begin(FORM.same)
    const fits = isList ? writeList(value as readonly string[], out) : WRITE[column.kind](value as never, out)
    if (!fits) for (let row = 0; row < out.rows; row++) out.unfit(row, misfit(column, value))
  }
  out.end()
}

function sameInAll(values: readonly unknown[], rows: number, kind: ColumnKind): boolean {
  const first = values[0]
  if (kind === 'float') {
    for (let i = 1; i < rows; i++) if (!Object.is(values[i], first)) return false
    return true
  }
  // Missing lists are stored as empty ones.
  if (kind === 'strings' && (first === undefined || first === null || (first as readonly string[]).length === 0)) {
    for (let i = 1; i < rows; i++) if ((values[i] as readonly string[] | null | undefined)?.length) return false
    return true
  }
  for (let i = 1; i < rows; i++) if (values[i] !== first) return false
  return true
}

function writeEach(column: Column, values: readonly unknown[], out: BlockWriter): void {
  const { rows } = out
  const write = WRITE[column.kind] as (value: unknown, out: BlockWriter) => boolean
  let nulls = 0
  for (let i = 0; i < rows; i++) if (values[i] === null || values[i] === undefined) nulls++
  out.begin(nulls > 0 ? FORM.eachOrNull : FORM.each)
  if (nulls > 0) out.nulls(values)
  const width = WIDTH[column.kind]
  for (let i = 0; i < rows; i++) {
    const value = values[i]
    if (value === null || value === undefined) {
      if (column.required) out.unfit(i, `column '${column.name}' needs a value`)
      writeNothing(width, out)
    } else if (!write(value, out)) out.unfit(i, misfit(column, value))
  }
  out.end()
}

function writeLists(column: Column, values: readonly (readonly string[] | null | undefined)[], out: BlockWriter): void {
  const { rows } = out
  out.begin(FORM.each)
  for (let i = 0; i < rows; i++) out.int32(values[i]?.length ?? 0)
  for (let i = 0; i < rows; i++) {
    const list = values[i]
    if (list === null || list === undefined) continue
    if (!Array.isArray(list)) out.unfit(i, misfit(column, list))
    for (let at = 0; at < list.length; at++) {
      const text = list[at]
      if (typeof text !== 'string' || !out.text(text)) out.unfit(i, misfit(column, text))
    }
  }
  out.end()
}

function writeList(list: readonly string[], out: BlockWriter): boolean {
  out.int32(list.length)
  return Array.isArray(list) && list.every((text) => typeof text === 'string' && out.text(text))
}

/** Bytes per value; 0 for values that start with their length. */
export const WIDTH: Readonly<Record<ColumnKind, number>> = {
  string: 0,
  json: 0,
  strings: 0,
  boolean: 1,
  smallint: 2,
  int: 4,
  bigint: 8,
  ubigint: 8,
  float: 8,
  timestamp: 8,
}

function writeNothing(width: number, out: BlockWriter): void {
  if (width === 8) out.halves(0, 0)
  else if (width === 4) out.int32(0)
  else if (width === 2) out.int16(0)
  else out.byte(0)
}

const WRITE: Readonly<Record<ColumnKind, WriteValue>> = {
  string: (value: unknown, out) => typeof value === 'string' && out.text(value),
  json: (value: unknown, out) => typeof value === 'string' && out.text(value),
  strings: () => false,
  boolean(value: unknown, out) {
    out.byte(value === true ? 1 : 0)
    return typeof value === 'boolean'
  },
  smallint(value: number | bigint, out) {
    const number = typeof value === 'bigint' ? Number(value) : value
    out.int16(number)
    return (number << 16) >> 16 === number
  },
  int(value: number | bigint, out) {
    const number = typeof value === 'bigint' ? Number(value) : value
    out.int32(number)
    return (number | 0) === number
  },
  bigint(value: number | bigint, out) {
    if (typeof value === 'bigint') return writeBig(value, -(2n ** 63n), 2n ** 63n, out)
    out.halves(value >>> 0, Math.floor(value / 0x1_0000_0000))
    return Number.isSafeInteger(value)
  },
  ubigint(value: number | bigint, out) {
    if (typeof value === 'bigint') return writeBig(value, 0n, 2n ** 64n, out)
    out.halves(value >>> 0, Math.floor(value / 0x1_0000_0000))
    return Number.isSafeInteger(value) && value >= 0
  },
  float(value: number | bigint, out) {
    out.float64(Number(value))
    return typeof value === 'number' ? Number.isFinite(value) : typeof value === 'bigint'
  },
  timestamp: (value: unknown, out) => typeof value === 'string' && nanoseconds(value, out),
}

function writeBig(value: bigint, low: bigint, beyond: bigint, out: BlockWriter): boolean {
  out.int64(BigInt.asIntN(64, value))
  return value >= low && value < beyond
}

function misfit({ name, kind }: Column, value: unknown): string {
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : String(value).slice(0, 80)
  return `column '${name}' of kind ${kind} cannot hold ${shown}`
}
