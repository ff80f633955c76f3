import type { Flusher } from '../pipeline/flusher.ts'
import { tableVersionRow } from '../pipeline/rows.ts'
import { tableRefreshRow } from '../pipeline/table-rows.ts'
import type { RefreshOutcome } from '../stages/enrich/outcomes.ts'
import type { BuiltTable } from '../stages/enrich/table.ts'
import type { StateDb } from '../state/db.ts'
import { recordTableVersion, saveTableState } from '../state/table-status.ts'
import type { TableFiles } from './table-files.ts'

/** A table's state as JSON text, and the outcome of a refresh for the lake. */
export interface TableStateToSave {
  readonly name: string
  readonly value: string
  readonly outcome: RefreshOutcome | undefined
}

/** Records what happens to tables, in the state and as rows of the lake. */
export class TableRecords {
  readonly #db: StateDb
  readonly #flusher: Pick<Flusher, 'added'>
  readonly #files: TableFiles | undefined

  /** `files`: where other nodes find the versions of tables. */
  constructor(db: StateDb, flusher: Pick<Flusher, 'added'>, files: TableFiles | undefined) {
    this.#db = db
    this.#flusher = flusher
    this.#files = files
  }

  /** A version has come into force; one that was in force before a restart is recorded already. */
  async version(table: string, { version, rows }: BuiltTable): Promise<void> {
    const now = Date.now()
    const row = tableVersionRow(table, version, rows, now)
    if (await recordTableVersion(this.#db, table, version, row, now)) this.#flusher.added([row], now)
  }

  async state({ name, value, outcome }: TableStateToSave): Promise<void> {
    const now = Date.now()
    const rows = outcome ? [tableRefreshRow(name, outcome)] : []
    // First the files: the state never names a version that another node cannot get.
    await this.#files?.store(name)
    await saveTableState(this.#db, name, value, rows, now)
    this.#flusher.added(rows, now)
  }

  /** What was removed from the data folder is removed from the state as well. */
  async storeFiles(): Promise<void> {
    await this.#files?.storeAll()
  }
}
