import type { Column, TableSpec } from '../../model/column.ts'
import { WIDTH } from '../../util/block/columns.ts'
import { type Block, openBlock, type Section, skipText } from '../../util/block/read.ts'
import { FORM } from '../../util/block/writer.ts'
import { typeOf } from './ddl.ts'
import type { Range } from './insert.ts'

/** Maximum number of rows per insert statement, … */
const MAX_ROWS = 200_000
/** … and approximate maximum number of bytes: a block stores a value that is the same in all rows once, Native stores it in each row. */
const MAX_BYTES = 64 * 1024 * 1024

/** Blocks of one table as a single block of ClickHouse's Native format, whole or a range of rows. */
export class NativeRows {
  readonly count: number
  readonly #columns: readonly Column[]
  readonly #blocks: readonly Block[]

  /** Throws if a block is damaged or has other columns than the table. */
  constructor({ database, table, columns }: TableSpec, blocks: readonly Uint8Array[]) {
    this.#columns = columns
    this.#blocks = blocks.map(openBlock)
    this.count = this.#blocks.reduce((sum, { rows }) => sum + rows, 0)
    for (const { sections } of this.#blocks)
      if (sections.length !== columns.length)
        throw new Error(`finished rows for ${database}.${table} have ${sections.length} columns, their table ${columns.length}`)
  }

  /** The names and types of the block's columns for the engine. The names are `c0`, `c1` …, regardless of the table's names. */
  static structure(columns: readonly Column[]): string {
    return columns.map((column, i) => `c${i} ${typeOf(column)}`).join(', ')
  }

  /**
   * All rows in order, in ranges that fit into memory. They depend only on the blocks. A range can exceed the limit by the size of one
   * block's differing values, or by one row.
   */
  ranges(maxRows = MAX_ROWS, maxBytes = MAX_BYTES): Range[] {
    const ranges: Range[] = []
    let from = 0
    let first = 0
    let bytes = 0
    for (const block of this.#blocks) {
      const { each, once } = weightOf(block, this.#columns)
      bytes += once
      let row = 0
      while (row < block.rows) {
        const room = Math.min(maxRows - (first + row - from), Math.floor((maxBytes - bytes) / each))
        const taken = Math.min(block.rows - row, Math.max(room, first + row === from ? 1 : 0))
        row += taken
        bytes += taken * each
        if (row === block.rows) break
        ranges.push([from, first + row])
        from = first + row
        bytes = once
      }
      first += block.rows
    }
    if (first > from) ranges.push([from, first])
    return ranges
  }

  /** Rows `from` to `to` (exclusive). */
  bytes(from = 0, to = this.count): Uint8Array {
    const pieces: Block[] = []
    let first = 0
    for (const { rows, sections } of this.#blocks) {
      const [a, b] = [Math.max(from - first, 0), Math.min(to - first, rows)]
      if (a === 0 && b === rows) pieces.push({ rows, sections })
      else if (a < b)
        pieces.push({ rows: b - a, sections: this.#columns.map(({ kind }, i) => cut(sections[i]!, kind, rows, a, b)) })
      first += rows
    }
    const out = new Bytes(pieces.reduce((sum, piece) => sum + sizeOf(piece, this.#columns), 0))
    out.length(this.#columns.length)
    out.length(to - from)
    this.#columns.forEach((column, i) => {
      out.text(`c${i}`)
      out.text(typeOf(column))
      const own = pieces.map(({ rows, sections }) => ({ rows, section: sections[i]! }))
      if (column.kind === 'strings') writeLists(own, out)
      else writeColumn(column, own, out)
    })
    return out.taken
  }
}

/** An upper bound for the size of the rows and of the names and types of all columns. */
function sizeOf(piece: Block, columns: readonly Column[]): number {
  const { each, once } = weightOf(piece, columns)
  return columns.length * 64 + piece.rows * each + once
}

/** Fixed bytes per row, and the total bytes of all differing values. */
function weightOf({ sections }: Block, columns: readonly Column[]): { each: number; once: number } {
  let [each, once] = [0, 0]
  columns.forEach(({ kind }, i) => {
    const { form, data } = sections[i]!
    each += kind === 'strings' ? 8 : 1 + (WIDTH[kind] || 1)
    if (form === FORM.same) each += data.length
    else once += data.length
  })
  return { each, once }
}

interface Piece {
  readonly rows: number
  readonly section: Section
}

function writeColumn(column: Column, pieces: readonly Piece[], out: Bytes): void {
  if (!column.required) {
    for (const { rows, section } of pieces) {
      if (section.nulls) out.bytes(section.nulls)
      else out.fill(section.form === FORM.none ? 1 : 0, rows)
    }
  }
  for (const { rows, section } of pieces) {
    if (section.form === FORM.none) out.fill(0, rows * (WIDTH[column.kind] || 1))
    else if (section.form === FORM.same) out.repeat(section.data, rows)
    else out.bytes(section.data)
  }
}

/** The engine stores the ends of the lists first, then all texts. */
function writeLists(pieces: readonly Piece[], out: Bytes): void {
  let end = 0
  for (const { rows, section } of pieces) {
    if (section.form === FORM.none && end === 0) out.fill(0, 8 * rows)
    else end = out.ends(end, rows, section.form === FORM.none ? undefined : countsOf(section), section.form === FORM.same ? 0 : 4)
  }
  for (const { rows, section } of pieces) {
    if (section.form === FORM.same) out.repeat(section.data.subarray(4), rows)
    else if (section.form !== FORM.none) out.bytes(section.data.subarray(4 * rows))
  }
}

function countsOf({ data }: Section): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength)
}

/** Rows `from` to `to` of a column that has `rows`. */
function cut(section: Section, kind: Column['kind'], rows: number, from: number, to: number): Section {
  const { form, nulls, data } = section
  if (form === FORM.none || form === FORM.same) return section
  const kept = { form, nulls: nulls?.subarray(from, to) }
  const width = WIDTH[kind]
  if (width > 0) return { ...kept, data: data.subarray(from * width, to * width) }
  if (kind !== 'strings') {
    const start = skipTexts(data, 0, from)
    return { ...kept, data: data.subarray(start, skipTexts(data, start, to - from)) }
  }
  const counts = countsOf(section)
  let [before, inside] = [0, 0]
  for (let row = 0; row < to; row++) {
    const n = counts.getUint32(4 * row, true)
    if (row < from) before += n
    else inside += n
  }
  const start = skipTexts(data, 4 * rows, before)
  const texts = data.subarray(start, skipTexts(data, start, inside))
  return { ...kept, data: Buffer.concat([data.subarray(4 * from, 4 * to), texts]) }
}

function skipTexts(data: Uint8Array, from: number, count: number): number {
  let at = from
  for (let i = 0; i < count; i++) at = skipText(data, at)
  return at
}

/** A growing byte buffer. */
class Bytes {
  #bytes: Buffer
  #at = 0

  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafeSlow(size)
  }

  get taken(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  fill(byte: number, count: number): void {
    this.#room(count)
    this.#bytes.fill(byte, this.#at, this.#at + count)
    this.#at += count
  }

  repeat(bytes: Uint8Array, count: number): void {
    const end = this.#at + bytes.length * count
    this.#room(bytes.length * count)
    if (bytes.length > 0) this.#bytes.fill(bytes, this.#at, end)
    this.#at = end
  }

  /** The end of each list, computed from the ends before it: 64 bits each. Returns the last. */
  ends(before: number, rows: number, counts: DataView | undefined, step: number): number {
    this.#room(8 * rows)
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength)
    let end = before
    for (let row = 0; row < rows; row++, this.#at += 8) {
      if (counts) end += counts.getUint32(step * row, true)
      // An insert has far fewer texts than 32 bits can count.
      view.setUint32(this.#at, end, true)
      view.setUint32(this.#at + 4, 0, true)
    }
    return end
  }

  length(value: number): void {
    let rest = value
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.fill((rest & 0x7f) | 0x80, 1)
    this.fill(rest, 1)
  }

  text(text: string): void {
    const bytes = Buffer.from(text)
    this.length(bytes.length)
    this.bytes(bytes)
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#at + bytes))
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = larger
  }
}
