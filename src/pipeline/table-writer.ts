import type { FoundRows, RowChange, TableWrite, WrittenRow, WrittenTableId } from '../model/table-write.ts'
import type { Table } from '../stages/enrich/table.ts'
import { type FindRows, MAX_ROW_LENGTH } from '../stages/enrich/written/found-rows.ts'
import { writeRows } from '../stages/enrich/written/write-rows.ts'
import { type RowsWritten, WrittenRows } from '../stages/enrich/written/written-rows.ts'
import type { WrittenDefinition } from '../stages/enrich/written/written-table.ts'
import type { ParsedEvents } from '../stages/parse/parser.ts'

/** The tables of one generation that events write. */
export interface WrittenTables {
  readonly definitions: readonly WrittenDefinition[]
  readonly find: FindRows
}

/** A batch among those that write and read the tables. */
export interface BatchTables {
  /**
   * Passes on what its events write, and resolves with the tables as the batch sees them: with everything that earlier batches have
   * written, and nothing else. What counts is the first call.
   */
  enter(groups: readonly ParsedEvents[]): Promise<readonly Table[]>
}

/** The rows that a thread has: those as of a write. */
export interface RowsHere {
  /** Rows that were loaded at different times have different epochs. */
  readonly epoch: number
  /** All rows as of this write were received at once; there are no earlier versions. */
  readonly from: number
  readonly number: number
}

/** What a batch in another thread says about its events. */
export interface AskedRows {
  /** Absent: not a batch of events, but work that sees the newest rows. */
  readonly place: number | undefined
  readonly found: readonly FoundRows[]
  readonly have: RowsHere
}

/** The rows that the batch sees: as of write `number`. */
export interface GivenRows {
  readonly epoch: number
  readonly number: number
  /** No batch in progress sees the rows as of an earlier write. */
  readonly oldest: number
  /** `true`: `writes` is all rows, instead of the writes since those that the thread has. */
  readonly isWhole: boolean
  readonly writes: readonly RowsWritten[]
}

/** What is stored of a table: its rows, and those that it had when its keys were other columns. */
export interface StoredTable {
  readonly id: WrittenTableId
  readonly rows: readonly WrittenRow[]
}

export interface TableWriterDeps {
  /** What is stored about the tables with these names, in the order of writing, and the number of the last write. */
  readonly load: (names: readonly string[]) => Promise<{ readonly number: number; readonly tables: readonly StoredTable[] }>
  /** A table had to leave out or remove rows; `undefined`: not within the last hour. */
  readonly onFull: (table: string, message: string | undefined) => void
}

/** A table with too many rows is reported until this has passed without another one. */
const FULL_MS = 3_600_000
/** Writes that other threads may still ask for. */
const MAX_LOG = 256

/**
 * The owner of the tables that events write. Batches write in the order in which they began, each after it has been parsed, and see what
 * earlier ones have written, although these may not be committed yet: as commits are in the same order, a batch is never committed without
 * what it has seen.
 */
export class TableWriter {
  readonly #deps: TableWriterDeps
  readonly #rows = new WrittenRows()
  readonly #known = new Set<string>()
  readonly #open = new Map<number, BatchPlace>()
  readonly #fullMs = new Map<string, number>()
  readonly #log: RowsWritten[] = []
  #epoch = 1
  #number = 0
  #order = 0
  #lastPlace = 0
  #last: Promise<void> = Promise.resolve()

  constructor(deps: TableWriterDeps) {
    this.#deps = deps
  }

  /** Loads the rows of tables that are not loaded yet. */
  async open({ definitions }: WrittenTables): Promise<void> {
    const added = definitions.filter(({ shape }) => !this.#known.has(keyOf(shape.id)))
    if (added.length === 0) return
    const { number, tables } = await this.#deps.load(added.map(({ shape }) => shape.id.name))
    this.#number = Math.max(this.#number, number)
    for (const { id, rows } of tables) {
      if (this.#known.has(keyOf(id))) continue
      this.#known.add(keyOf(id))
      this.#order = Math.max(this.#order, rows.at(-1)?.order ?? 0)
      this.#rows.put({ number: 0, changes: rows.map((row) => ({ table: id, key: row.key, after: row })) }, 0)
    }
    for (const { shape } of added) this.#known.add(keyOf(shape.id))
    this.#epoch++
    this.#log.length = 0
  }

  /** The place of a batch: called in the order in which batches begin, which must be that of their commits. */
  begin(tables: WrittenTables, receivedMs: number): BatchPlace {
    const place = new BatchPlace(++this.#lastPlace, tables, this.#rows, () => this.#open.delete(place.number))
    this.#open.set(place.number, place)
    this.#last = this.#last.then(async () => {
      place.see(this.#number)
      place.write = this.#apply(await place.found, tables, receivedMs)
    })
    return place
  }

  /** The tables as of the newest write, for work that is not a batch of events. */
  latest({ definitions }: WrittenTables): readonly Table[] {
    return this.#rows.tablesAt(definitions, this.#number)
  }

  /** Takes what a batch in another thread writes, and resolves with the rows that it sees. */
  async answer({ place: number, found, have }: AskedRows): Promise<GivenRows> {
    const place = number === undefined ? undefined : this.#open.get(number)
    if (number !== undefined && !place) throw new Error(`there is no batch ${number}`)
    place?.report(found)
    const seen = place ? await place.seen : this.#number
    const first = this.#log[0]?.number ?? this.#number + 1
    const isWhole = have.epoch !== this.#epoch || have.from > seen || have.number + 1 < first
    const writes = isWhole
      ? [this.#rows.wholeAt(seen)]
      : this.#log.filter((write) => write.number > have.number && write.number <= seen)
    return { epoch: this.#epoch, number: seen, oldest: this.#oldest, isWhole, writes }
  }

  get #oldest(): number {
    return Math.min(this.#number, ...[...this.#open.values()].map(({ sees }) => sees ?? this.#number))
  }

  #apply(found: readonly FoundRows[], { definitions }: WrittenTables, receivedMs: number): TableWrite | undefined {
    const number = this.#number + 1
    const changes: RowChange[] = []
    for (const one of found) {
      const definition = definitions.find(({ shape }) => keyOf(shape.id) === keyOf(one.table))
      if (!definition) continue
      const stored = this.#rows.of(one.table)
      const written = writeRows(definition, stored, one, { number, receivedMs, nextOrder: () => ++this.#order })
      changes.push(...this.#endOutdated(one.table, receivedMs), ...written.changes)
      this.#reportFull(definition, { ...written, tooLong: one.tooLong }, receivedMs)
    }
    if (changes.length === 0) return undefined
    this.#number = number
    const write = { number, changes }
    this.#rows.put(write, this.#oldest)
    this.#log.push({ number, changes: changes.map(({ table, key, after }) => ({ table, key, after })) })
    if (this.#log.length > MAX_LOG) this.#log.shift()
    return write
  }

  /** Rows that were written when the table had another key end with the first write under its present one. */
  #endOutdated(table: WrittenTableId, atMs: number): RowChange[] {
    return this.#rows
      .othersOf(table)
      .flatMap(({ id, rows }) => [...rows].map((before) => ({ table: id, key: before.key, before, after: undefined, atMs })))
  }

  #reportFull(
    { shape, source }: WrittenDefinition,
    { evicted, tooLong }: { readonly evicted: number; readonly tooLong: number },
    receivedMs: number,
  ): void {
    const { name } = shape.id
    const since = this.#fullMs.get(name)
    if (evicted + tooLong > 0) {
      this.#fullMs.set(name, receivedMs)
      const message =
        evicted > 0
          ? `Table ${name} is full: rows written longest ago are removed to make room (Events.MaxRows is ${source.maxRows}).`
          : `Events write rows of table ${name} that are longer than ${MAX_ROW_LENGTH} characters, which are left out.`
      this.#deps.onFull(name, message)
    } else if (since !== undefined && receivedMs - since > FULL_MS) {
      this.#fullMs.delete(name)
      this.#deps.onFull(name, undefined)
    }
  }
}

/** A batch in progress. */
export class BatchPlace implements BatchTables {
  /** By which another thread names it. */
  readonly number: number
  readonly found: Promise<readonly FoundRows[]>
  /** Resolves with the write that the batch sees: the last one of the batches before it. */
  readonly seen: Promise<number>
  /** The same once it is known. */
  sees: number | undefined
  /** What the batch has written; part of its transaction. Known when the batch is committed. */
  write: TableWrite | undefined
  report: (found: readonly FoundRows[]) => void = () => {}
  readonly #tables: WrittenTables
  readonly #rows: WrittenRows
  readonly #onEnd: () => void
  #resolveSeen: (number: number) => void = () => {}

  constructor(number: number, tables: WrittenTables, rows: WrittenRows, onEnd: () => void) {
    this.number = number
    this.#tables = tables
    this.#rows = rows
    this.#onEnd = onEnd
    this.found = new Promise((resolve) => {
      this.report = resolve
    })
    this.seen = new Promise((resolve) => {
      this.#resolveSeen = resolve
    })
  }

  enter(groups: readonly ParsedEvents[]): Promise<readonly Table[]> {
    this.report(this.#tables.find(groups))
    return this.look()
  }

  /** The tables as the batch sees them. */
  async look(): Promise<readonly Table[]> {
    return this.#rows.tablesAt(this.#tables.definitions, await this.seen)
  }

  see(number: number): void {
    this.sees = number
    this.#resolveSeen(number)
  }

  /** The batch writes nothing, unless it has already said what: it cannot be processed as a whole. */
  giveUp(): void {
    this.report([])
  }

  /** It is committed, or never will be. */
  end(): void {
    this.giveUp()
    this.#onEnd()
  }
}

function keyOf({ name, shape }: WrittenTableId): string {
  return `${shape} ${name}`
}
