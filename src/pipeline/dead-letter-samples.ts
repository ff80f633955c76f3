import type { FinishedRows } from '../model/batch.ts'
import { readBlock } from '../util/block/read.ts'
import { printable } from '../util/terminal.ts'
import { DEAD_LETTERS } from './rows.ts'

/** A dead letter for display: nothing in it can move a terminal's cursor. */
export interface DeadLetterSample {
  readonly reason: string
  readonly message: string
  readonly position: string
  readonly bytes: number
  /** The beginning of the record; bytes that are not text are written as `\x00`. */
  readonly excerpt: string
}

const MAX_SAMPLES = 3
const MAX_EXCERPT = 200
const MAX_MESSAGE = 500

const INDEX = new Map(DEAD_LETTERS.columns.map(({ name }, at) => [name, at]))

/** The last dead letters of each source, from the rows for the lake. */
export class DeadLetterSamples {
  readonly #bySource = new Map<string, readonly DeadLetterSample[]>()

  added(finished: readonly FinishedRows[]): void {
    for (const { spec, rows } of finished) {
      if (spec.table !== DEAD_LETTERS.table || spec.database !== DEAD_LETTERS.database) continue
      for (const row of readBlock(spec.columns, rows, MAX_SAMPLES)) {
        const { source, sample } = readRow(row)
        const others = this.#bySource.get(source) ?? []
        this.#bySource.set(source, [...others, sample].slice(-MAX_SAMPLES))
      }
    }
  }

  of(sourceId: string): readonly DeadLetterSample[] {
    return this.#bySource.get(sourceId) ?? []
  }
}

function readRow(values: readonly unknown[]): { source: string; sample: DeadLetterSample } {
  const text = (name: string) => String(values[INDEX.get(name)!] ?? '')
  const raw = text('raw')
  const excerpt =
    text('raw_encoding') === 'base64'
      ? escapedBytes(Buffer.from(raw.slice(0, 2 * MAX_EXCERPT), 'base64'))
      : printable(raw.slice(0, MAX_EXCERPT))
  return {
    source: text('source'),
    sample: {
      reason: text('reason'),
      message: printable(text('message').slice(0, MAX_MESSAGE)),
      position: printable(text('position')),
      bytes: Number(values[INDEX.get('length')!]),
      excerpt,
    },
  }
}

function escapedBytes(bytes: Buffer): string {
  return [...bytes.subarray(0, MAX_EXCERPT)]
    .map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`))
    .join('')
}
