import type { FinishedRows } from '../model/batch.ts'
import { SIGNALS } from '../pipeline/rows.ts'
import { SIGNAL_COLUMNS } from '../stages/store/stored-signals.ts'
import { readBlock } from '../util/block/read.ts'

/** Signals from before now. */
export interface PastSignals {
  /** Queries the lake, which contains everything committed before the call. Rows are JSON array texts. */
  readonly query: (sql: string, maxRows: number) => Promise<readonly string[]>
  /** Collects the signals committed from now on, which a query's result may lack. */
  listen(): SignalTap
}

export interface SignalTap {
  /** What was committed since, in the same form as query results. */
  readonly rows: () => readonly string[]
  readonly end: () => void
}

/** The positions of the columns that look-back reads within a signal's row. */
const PLACES = SIGNAL_COLUMNS.map((name) => SIGNALS.columns.findIndex((column) => column.name === name))

/** Passes signals to listeners as they are committed. */
export class CommittedSignals {
  readonly #taps = new Set<string[]>()

  committed(finished: readonly FinishedRows[]): void {
    if (this.#taps.size === 0) return
    for (const { spec, rows } of finished) {
      if (spec.database !== SIGNALS.database || spec.table !== SIGNALS.table) continue
      for (const cells of readBlock(spec.columns, rows)) {
        const row = JSON.stringify(PLACES.map((at) => cells[at] ?? null))
        for (const tap of this.#taps) tap.push(row)
      }
    }
  }

  listen(): SignalTap {
    const rows: string[] = []
    this.#taps.add(rows)
    return { rows: () => rows, end: () => void this.#taps.delete(rows) }
  }
}
