import type { FoundRows } from '../model/table-write.ts'
import type { Table } from '../stages/enrich/table.ts'
import { WrittenRows } from '../stages/enrich/written/written-rows.ts'
import type { AskedRows, BatchTables, GivenRows, RowsHere, WrittenTables } from './table-writer.ts'

/** The tables that events write, as another thread than their owner has them: it asks for what has changed with each batch. */
export class TableReplica {
  readonly #ask: (asked: AskedRows) => Promise<GivenRows>
  #rows = new WrittenRows()
  #have: RowsHere = { epoch: 0, from: 0, number: 0 }

  constructor(ask: (asked: AskedRows) => Promise<GivenRows>) {
    this.#ask = ask
  }

  /** The batch at a place of the owner's. `undefined`: it is only tried, sees the rows that are here, and writes nothing. */
  batch(tables: WrittenTables, place: number | undefined): BatchTables {
    const { definitions, find } = tables
    return {
      enter: async (groups) =>
        place === undefined ? this.#rows.tablesAt(definitions, this.#have.number) : this.#enter(tables, place, find(groups)),
    }
  }

  /** The tables as of the newest write, for work that is not a batch of events. */
  latest(tables: WrittenTables): Promise<readonly Table[]> {
    return this.#enter(tables, undefined, [])
  }

  async #enter(
    { definitions }: WrittenTables,
    place: number | undefined,
    found: readonly FoundRows[],
  ): Promise<readonly Table[]> {
    const given = await this.#ask({ place, found, have: this.#have })
    return this.#take(given).tablesAt(definitions, given.number)
  }

  /** The rows to read what was given from. */
  #take({ epoch, number, oldest, isWhole, writes }: GivenRows): WrittenRows {
    const have = this.#have
    if (isWhole) {
      const rows = new WrittenRows()
      for (const write of writes) rows.put(write, oldest)
      // A batch that is processed again may be older than what is here: its rows are for it alone.
      if (epoch < have.epoch || (epoch === have.epoch && number <= have.number)) return rows
      this.#rows = rows
      this.#have = { epoch, from: number, number }
      return rows
    }
    for (const write of writes) if (write.number > have.number) this.#rows.put(write, oldest)
    this.#have = { ...have, number: Math.max(have.number, number) }
    return this.#rows
  }
}
