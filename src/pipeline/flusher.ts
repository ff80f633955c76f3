import type { Count, FinishedRows, Flush, FlushOutcome, FlushPart } from '../model/batch.ts'
import { INDEX } from '../stages/store/indicators.ts'
import type { LakeWriter } from '../stages/store/lake.ts'
import type { UnfitRow } from '../util/block/encode.ts'
import { hasJson, onlyJson, withoutJson } from '../util/block/json-rows.ts'
import { readBlock } from '../util/block/read.ts'
import { messageOf, Refused, RetryLater } from '../util/errors.ts'
import { type Indicated, indicatorRows } from './indicator-rows.ts'
import type { PipelineState } from './pipeline-state.ts'
import { type Refusal, refusedRows } from './refused-rows.ts'
import { rowsOf } from './rows.ts'

export interface FlusherOptions {
  /** Flush when this number of rows waits … */
  readonly flushRows: number
  /** … or the oldest has waited this long. Each insert costs the lake 11–18 ms whatever its size, so it should not be much shorter. */
  readonly flushMs: number
  /** Or their bytes reach this, which is about as much as one flush takes. */
  readonly maxBytes: number
  readonly now: () => number
  /** Pause before a retry in milliseconds; default 1,000. */
  readonly retryMs?: number
  /** Which tables accept no rows now and why, or that all do again (undefined). */
  readonly onTrouble: (message: string | undefined) => void
  /** Rows that the lake has refused permanently, and not as dead letters, since startup. */
  readonly onLost?: (message: string) => void
  /** Fewer rows may be waiting now than before. */
  readonly onStored?: () => void
}

const CHECK_MS = 100
/** Pause before a table is retried; doubles with every attempt … */
const RETRY_MS = 1000
/** … up to this. */
const MAX_RETRY_MS = 30_000

/** A table that did not accept its rows. */
interface Held {
  readonly message: string
  readonly tries: number
  /** When it is retried. */
  readonly nextMs: number
}

type Lost = NonNullable<Refusal['lost']>

/** The outcome of a table's part of a flush. */
interface Stored {
  readonly rows: FinishedRows[]
  readonly counts: Count[]
  readonly lost: Lost[]
}

/**
 * Moves finished rows from the outbox to the lake, each exactly once. Alerts never wait for it, and tables do not wait for each other: rows
 * that a table does not accept are held, its later rows queue after them, and all other tables continue.
 */
export class Flusher {
  readonly #state: PipelineState
  readonly #lake: LakeWriter
  readonly #options: FlusherOptions
  readonly #retryMs: number
  /** By `database.table`. */
  readonly #held = new Map<string, Held>()
  /** By `database.table`: rows that the lake refused and that are stored nowhere. */
  readonly #lost = new Map<string, Lost>()
  #running: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  /** Settles when the flush in progress is over. */
  #storing: Promise<unknown> = Promise.resolve()
  /** While set, no flush begins. */
  #paused: { readonly over: Promise<void>; readonly end: () => void } | undefined
  #isStarted = false
  /** The waiting rows, counted separately so that checking is free. */
  #waiting = { rows: 0, bytes: 0, oldestMs: undefined as number | undefined }
  /** What was committed while the outbox is being measured; counted twice rather than not at all. */
  #meanwhile: (readonly FinishedRows[])[] | undefined

  constructor(state: PipelineState, lake: LakeWriter, options: FlusherOptions) {
    this.#state = state
    this.#lake = lake
    this.#options = options
    this.#retryMs = options.retryMs ?? RETRY_MS
  }

  /** Bytes in the outbox, not yet in the lake. */
  get waitingBytes(): number {
    return this.#waiting.bytes
  }

  async start(): Promise<void> {
    await this.#measure()
    const held = { message: 'not tried since startup', tries: 0, nextMs: 0 }
    for (const { table } of await this.#state.heldFlushes()) this.#held.set(table!, held)
    this.#isStarted = true
    this.#check()
  }

  /** Runs when it is time, and checks again while anything waits: an idle machine is not woken. */
  #check(): void {
    if (!this.#isStarted || this.#timer) return
    if (this.#isDue()) void this.#run(false).catch(() => {})
    if (this.#waiting.rows === 0 && this.#held.size === 0) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#check()
    }, CHECK_MS)
  }

  /** New rows were committed. */
  added(finished: readonly FinishedRows[], nowMs: number): void {
    this.#meanwhile?.push(finished)
    for (const { spec, rows, count } of finished) {
      this.#waiting.bytes += rows.length
      if (this.#held.has(nameOf(spec))) continue
      this.#waiting.rows += count
      this.#waiting.oldestMs ??= nowMs
    }
    this.#check()
  }

  /** Resolves when everything committed before the call is in the lake. Rejects if a table does not accept its rows. */
  async flush(): Promise<void> {
    // A run in progress may have begun before the caller's rows were committed: one more run covers them.
    if (this.#running) await this.#running.catch(() => {})
    await this.#run(true)
    if (this.#held.size > 0) throw new RetryLater(this.#trouble()!)
  }

  /** Begins no further flush until `resume`; resolves when none is in progress. Calls of `flush` wait. */
  async pause(): Promise<void> {
    if (!this.#paused) {
      let end = () => {}
      const over = new Promise<void>((resolve) => {
        end = resolve
      })
      this.#paused = { over, end }
    }
    await this.#storing.catch(() => {})
  }

  /** Ends a pause; harmless without one. */
  resume(): void {
    this.#paused?.end()
    this.#paused = undefined
  }

  async stop(): Promise<void> {
    this.#isStarted = false
    clearTimeout(this.#timer)
    await this.#running?.catch(() => {})
  }

  #isDue(): boolean {
    const { flushRows, flushMs, maxBytes, now } = this.#options
    const { rows, bytes, oldestMs } = this.#waiting
    if (rows >= flushRows || bytes >= maxBytes || (oldestMs !== undefined && now() - oldestMs >= flushMs)) return true
    return [...this.#held.values()].some(({ nextMs }) => nextMs <= now())
  }

  #run(force: boolean): Promise<void> {
    this.#running ??= this.#drain(force).finally(() => {
      this.#running = undefined
      this.#check()
    })
    return this.#running
  }

  async #drain(force: boolean): Promise<void> {
    const { now, maxBytes, onTrouble } = this.#options
    try {
      for (const flush of await this.#state.heldFlushes()) {
        const held = this.#held.get(flush.table!)
        if (force || !held || held.nextMs <= now()) await this.#inTurn(flush)
      }
      // Not until the outbox is empty: while records arrive it never is, and each small insert costs the lake as much as a large one.
      for (let isOver = false; !isOver; ) {
        const flush = await this.#state.beginFlush(maxBytes, now())
        if (!flush) break
        const hasAdded = await this.#inTurn(flush)
        isOver = !flush.hasMore && !hasAdded
      }
      onTrouble(this.#trouble())
    } catch (error) {
      onTrouble(messageOf(error))
      // No sooner than this: the rows are safe in the outbox.
      await new Promise((resolve) => setTimeout(resolve, this.#retryMs))
      throw error
    } finally {
      // If the state cannot be read, the last figures stay; the error that led here is the one to report.
      await this.#measure().catch(() => {})
      this.#options.onStored?.()
    }
  }

  async #measure(): Promise<void> {
    const meanwhile: (readonly FinishedRows[])[] = []
    this.#meanwhile = meanwhile
    try {
      const { rows, bytes, oldestMs } = await this.#state.outboxSize()
      this.#waiting = { rows, bytes, oldestMs }
    } finally {
      this.#meanwhile = undefined
    }
    for (const finished of meanwhile) this.added(finished, this.#options.now())
  }

  /** Nothing of a flush is in the lake before its turn, which a pause postpones. */
  async #inTurn(flush: Flush): Promise<boolean> {
    while (this.#paused) await this.#paused.over
    const storing = this.#store(flush)
    this.#storing = storing
    return storing
  }

  /** Writes a flush to the lake and records the outcome. True if that has added rows to the outbox. */
  async #store(flush: Flush): Promise<boolean> {
    /** By table. A retry of a held table has the same outcome again. */
    const stored = new Map<string, Stored>()
    const failed = new Map<string, string>()
    for (const part of await this.#state.flushParts(flush)) {
      const table = nameOf(part.spec)
      // A table's rows must stay in the order of its schema's changes.
      if (failed.has(table)) continue
      try {
        const refused = refusedRows(part.spec, await this.#insert(part), this.#options.now())
        const own = stored.get(table) ?? { rows: [], counts: [], lost: [] }
        stored.set(table, own)
        own.rows.push(...refused.rows, ...indexOf(part))
        own.counts.push(...refused.counts)
        if (refused.lost) own.lost.push(refused.lost)
      } catch (error) {
        failed.set(table, messageOf(error))
        stored.delete(table)
      }
    }
    for (const [table, message] of failed) this.#hold(table, message)
    if (flush.table !== undefined && failed.has(flush.table)) return false
    const done = [...stored.values()]
    const outcome: FlushOutcome = {
      rows: done.flatMap(({ rows }) => rows),
      counts: done.flatMap(({ counts }) => counts),
      waiting: [...failed.keys()],
    }
    await this.#state.endFlush(flush, outcome, this.#options.now())
    for (const [table, { lost }] of stored) this.#count(table, lost)
    if (flush.table !== undefined) this.#held.delete(flush.table)
    return outcome.rows.length > 0
  }

  /** Rows that the table will never accept are reported as refused, so that only temporary failures are retried forever. */
  async #insert(part: FlushPart): Promise<readonly UnfitRow[]> {
    const { spec, late, token } = part
    const { blocks, unfit } = withoutJson(part)
    const rowsOfAll = () => blocks.flatMap((block) => readBlock(spec.columns, block))
    try {
      await this.#lake.ensure(spec, late)
      const rejected = await this.#lake.insert(spec, blocks, token)
      if (rejected.length === 0) return unfit
      const rows = rowsOfAll()
      return [...unfit, ...rejected.map(({ index, message }) => ({ row: rows[index]!, message }))]
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      const message = messageOf(error)
      return [...unfit, ...rowsOfAll().map((row) => ({ row, message }))]
    }
  }

  #count(table: string, lost: Stored['lost']): void {
    const last = lost.at(-1)
    if (!last) return
    const n = lost.reduce((sum, each) => sum + each.n, this.#lost.get(table)?.n ?? 0)
    this.#lost.set(table, { n, reason: last.reason })
    this.#options.onLost?.(
      [...this.#lost].map(([name, all]) => `${all.n} rows of ${name}, the last because: ${all.reason}`).join('; '),
    )
  }

  #hold(table: string, message: string): void {
    const tries = (this.#held.get(table)?.tries ?? 0) + 1
    const nextMs = this.#options.now() + Math.min(MAX_RETRY_MS, this.#retryMs * 2 ** Math.min(tries - 1, 10))
    this.#held.set(table, { message, tries, nextMs })
  }

  #trouble(): string | undefined {
    const [first, ...others] = [...this.#held.values()]
    if (!first) return undefined
    const tables = [...this.#held.keys()].join(', ')
    const same = others.every(({ message }) => message === first.message)
    return same ? `${tables}: ${first.message}` : [...this.#held].map(([table, { message }]) => `${table}: ${message}`).join('; ')
  }
}

/**
 * What an older version's rows add to the index of indicators: that version let the lake count them. Rows of this version are already
 * counted.
 */
function indexOf(part: FlushPart): FinishedRows[] {
  const { database, columns, timeColumn } = part.spec
  if (database !== 'logs' || timeColumn !== 'p_event_time' || !hasJson(part)) return []
  const events = withoutJson(onlyJson(part)).blocks.flatMap((block) => readBlock(columns, block))
  const named = events.map((row) => Object.fromEntries(columns.map(({ name }, i) => [name, row[i]])) as unknown as Indicated)
  return rowsOf(INDEX, indicatorRows(named))
}

function nameOf(spec: FlushPart['spec']): string {
  return `${spec.database}.${spec.table}`
}
