import type { Clock } from '../../../util/clock.ts'
import { RetryLater } from '../../../util/errors.ts'
import { placed, shardOf } from '../cluster.ts'
import { quoteText } from '../ddl.ts'
import { type Insert, rowsOf } from '../engine.ts'
import { insertStatement } from '../insert-statement.ts'
import { isLookupRows } from '../lookup-names.ts'
import { lostRows } from './lost-rows.ts'
import type { WriterSession } from './session.ts'

/** More than one is only needed if the server is killed again at the same moment. */
const MAX_REPAIRS = 5

/** What the server has dropped as repeated since it started. */
interface Dropped {
  readonly blocks: number
  /** When it was asked, in the clock's time. */
  readonly askedAt: number
}

/**
 * Inserts of one block each under a token that inserts once, on a server that may be killed at any moment.
 *
 * ClickHouse writes the token of an insert to disk just before its rows. If it is killed in between, it takes the repeated insert for a
 * duplicate and drops its rows without an error (docs/decisions/0006). It counts what it drops: if that number has not changed since the
 * last insert, and the server has not been restarted, the rows were stored. Otherwise they are looked for, and those that are missing are
 * inserted under another token. Calls must not overlap.
 */
export class ServerInserts {
  readonly #session: WriterSession
  readonly #clock: Clock
  /** By shard. */
  readonly #dropped = new Map<number, Dropped>()

  constructor(session: WriterSession, clock: Clock) {
    this.#session = session
    this.#clock = clock
  }

  /** Stores the rows of an insert: all, or, after an error, none or all. Throws the server's error. */
  async store(insert: Insert): Promise<void> {
    const { cluster } = this.#session
    const shard = cluster ? shardOf(cluster, insert.spec, insert.token) : 1
    // What was dropped before does not matter.
    if (!this.#dropped.has(shard)) await this.hasDropped(shard)
    await this.#insert(insert)
    if ((await this.hasDropped(shard)) && !isLookupRows(insert.spec)) await this.#complete(insert)
  }

  async #insert(insert: Insert): Promise<void> {
    const { path, structure } = insert.file
    const place = placed(this.#session, insert.spec, insert.token)
    await this.#session.insert(`${insertStatement(insert, `input(${quoteText(structure)})`, place)} FORMAT Native`, path)
  }

  /**
   * True if the server may have dropped a block that it does not have since the last call. Replicated tables note a token and its rows in one
   * step, and a replica that is late would seem to lack rows, so they are never searched.
   */
  async hasDropped(shard = 1): Promise<boolean> {
    const { cluster } = this.#session
    if (cluster?.replication) return false
    const before = this.#dropped.get(shard)
    const askedAt = this.#clock.now()
    const server = cluster?.nodes.find((node) => node.shard === shard) ?? this.#session
    const text = await server.run(
      "SELECT uptime(), (SELECT sum(value) FROM system.events WHERE event = 'DuplicatedInsertedBlocks')",
    )
    const [uptime, blocks] = rowsOf<[number | string, number | string | null]>(text)[0]!.map(Number) as [number, number]
    this.#dropped.set(shard, { blocks, askedAt })
    // It has been running since before that call.
    const isSame = before !== undefined && uptime * 1000 > this.#clock.now() - before.askedAt
    return !isSame || blocks !== before.blocks
  }

  async #complete(insert: Insert): Promise<void> {
    for (let again = 1; again <= MAX_REPAIRS; again++) {
      const missing = await this.#session.withFile(insert.file, async (rows) => {
        const lost = lostRows(insert, rows)
        const count = Number(rowsOf<[number]>(await this.#session.run(`SELECT count() FROM (${lost})`))[0]![0])
        const repair = { ...insert, token: `${insert.token}/again${again}` }
        if (count > 0)
          await this.#session.run(insertStatement(repair, `(${lost})`, placed(this.#session, insert.spec, repair.token)))
        return count
      })
      if (missing === 0) return
    }
    throw new RetryLater(
      `rows of ${insert.spec.database}.${insert.spec.table} are not there after ${MAX_REPAIRS} inserts of them`,
    )
  }
}
