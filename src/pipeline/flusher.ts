import type { Count, FinishedRows, FlushPart } from '../model/batch.ts'
import type { DeadLetter } from '../model/outcome.ts'
import type { Lake, RejectedRow } from '../stages/store/lake.ts'
import { messageOf } from '../util/errors.ts'
import { sha256 } from '../util/hash.ts'
import type { PipelineState } from './pipeline-state.ts'
import { DEAD_LETTERS, deadLetterRow } from './rows.ts'

/** The flusher's part of a lake. */
export type LakeWriter = Pick<Lake, 'ensure' | 'insert'>

export interface FlusherOptions {
  /** Flush when this many rows wait … */
  readonly flushRows: number
  /** … or the oldest has waited so long. Each insert costs the lake 11–18 ms whatever its size, so not much shorter. */
  readonly flushMs: number
  readonly maxBytes: number
  readonly now: () => number
  /** Tells people that the lake takes nothing now (text), or that it does again (undefined). */
  readonly onTrouble: (message: string | undefined) => void
}

const CHECK_MS = 100
const RETRY_MS = 1000

/** Moves finished rows from the outbox to the lake, each exactly once. Alerts never wait for it. */
export class Flusher {
  readonly #state: PipelineState
  readonly #lake: LakeWriter
  readonly #options: FlusherOptions
  #running: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  /** What waits, kept beside the table so that looking costs nothing. */
  #waiting = { rows: 0, bytes: 0, oldestMs: undefined as number | undefined }
  /** What was committed while the outbox is being measured; counted twice rather than not at all. */
  #meanwhile: (readonly FinishedRows[])[] | undefined

  constructor(state: PipelineState, lake: LakeWriter, options: FlusherOptions) {
    this.#state = state
    this.#lake = lake
    this.#options = options
  }

  /** Bytes in the outbox, not yet in the lake. */
  get waitingBytes(): number {
    return this.#waiting.bytes
  }

  async start(): Promise<void> {
    await this.#measure()
    this.#timer = setInterval(() => {
      const { rows, oldestMs } = this.#waiting
      const due =
        rows >= this.#options.flushRows || (oldestMs !== undefined && this.#options.now() - oldestMs >= this.#options.flushMs)
      if (due) void this.#run().catch(() => {})
    }, CHECK_MS)
  }

  /** New rows were committed. */
  added(finished: readonly FinishedRows[], nowMs: number): void {
    this.#meanwhile?.push(finished)
    for (const { rows, count } of finished) {
      this.#waiting.rows += count
      this.#waiting.bytes += rows.length
      this.#waiting.oldestMs ??= nowMs
    }
  }

  /** Everything committed before the call is in the lake when this resolves. Rejects when the lake does not take it. */
  async flush(): Promise<void> {
    // A run under way may have begun before the caller's rows were committed: one more run covers them.
    if (this.#running) await this.#running.catch(() => {})
    await this.#run()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running?.catch(() => {})
  }

  #run(): Promise<void> {
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #drain(): Promise<void> {
    try {
      for (;;) {
        const { now, maxBytes } = this.#options
        const flush = await this.#state.beginFlush(maxBytes, now())
        if (!flush) break
        const refused = { rows: [] as FinishedRows[], counts: [] as Count[] }
        for (const part of await this.#state.flushParts(flush)) await this.#store(part, refused)
        await this.#state.endFlush(flush, refused, now())
      }
      this.#options.onTrouble(undefined)
    } catch (error) {
      this.#options.onTrouble(messageOf(error))
      // Not sooner than this: the rows are safe in the outbox.
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      throw error
    } finally {
      // A state that cannot be read keeps the last figures; the error that led here is the one to tell.
      await this.#measure().catch(() => {})
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

  async #store(part: FlushPart, refused: { rows: FinishedRows[]; counts: Count[] }): Promise<void> {
    await this.#lake.ensure(part.spec)
    const rejected = await this.#lake.insert(part.spec, part.rows, part.token)
    // A dead letter that the lake refuses cannot be stored as a dead letter again; it would come back for ever.
    if (rejected.length === 0 || part.spec === DEAD_LETTERS || part.spec.database === 'monitor') return
    const time = new Date(this.#options.now()).toISOString()
    const letters = refusedLetters(part, rejected)
    refused.rows.push({
      spec: DEAD_LETTERS,
      rows: Buffer.from(`${letters.map((l) => deadLetterRow(l, time)).join('\n')}\n`),
      count: letters.length,
    })
    if (part.spec.database !== 'logs') return
    for (const { source } of letters) {
      refused.counts.push({ sourceId: source, outcome: 'stored', reason: '', n: -1 })
      refused.counts.push({ sourceId: source, outcome: 'dead_lettered', reason: 'internal', n: 1 })
    }
  }
}

/** Rows that the lake refused, as dead letters: the finished row is what is left of the record. */
function refusedLetters({ spec, rows }: FlushPart, rejected: readonly RejectedRow[]): DeadLetter[] {
  const lines = Buffer.from(rows).toString('utf8').split('\n')
  const at = (name: string) => spec.columns.findIndex((column) => column.name === name)
  return rejected.map(({ index, message }) => {
    const line = lines[index] ?? ''
    const values = JSON.parse(line) as unknown[]
    const bytes = Buffer.from(line)
    return {
      reason: 'internal',
      message: `The lake refused this row of ${spec.database}.${spec.table}: ${message}. The schema and the lake disagree about a value; please report it.`,
      source: String(values[at('p_source_id')] ?? ''),
      position: `${spec.database}.${spec.table}`,
      length: bytes.length,
      sha256: sha256(bytes),
      raw: bytes.subarray(0, 64 * 1024),
      rowId: String(values[at('p_row_id')] ?? ''),
    }
  })
}
