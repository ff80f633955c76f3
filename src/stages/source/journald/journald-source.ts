import type { Cursor, Extent } from '../../../model/batch.ts'
import type { Chunk, Fault } from '../../../model/chunk.ts'
import { RetryLater } from '../../../util/errors.ts'
import { hash16, sha256 } from '../../../util/hash.ts'
import { inTime } from '../../../util/pause.ts'
import { JOURNAL_LOG_TYPE, journalJson } from '../decoders/journal-export.ts'
import { tooLongFault } from '../long-record.ts'
import type { BatchSource, CursorDeps, SourceStatus } from '../source.ts'
import { Journalctl, type JournalEntry, type Position } from './journalctl.ts'

export interface JournaldOptions {
  readonly id: string
  /** What is run as journalctl: the program, and its first arguments. */
  readonly program: readonly string[]
  /** Which journal, and which of its entries: arguments of journalctl. */
  readonly selection: readonly string[]
  /** Where reading begins if state does not know. */
  readonly start: Position
  /** Says, at intervals, that there is no journal here. */
  readonly missing: () => string | undefined
  readonly deps: Pick<CursorDeps, 'cursors' | 'wake' | 'maxRecordBytes'>
}

interface JournalExtent extends Extent {
  readonly kind: 'journal'
  readonly selection: readonly string[]
  readonly from: Position
  /** Behind its last entry. */
  readonly to: Position
  /** Number of its entries; 0: only the position is stored. */
  readonly count: number
}

/** Maximum bytes per batch, as for files. */
const WINDOW_BYTES = 1024 * 1024
const MAX_ENTRIES = 10_000
/** After a restart, waits this long for the entries of a recorded batch before the batch is put aside and other sources are read. */
const REREAD_MS = 2000
const PLACE = 'journal'

/**
 * Follows a journal. The cursor behind a batch is part of the batch's transaction, so a restart goes on exactly there; a batch that was
 * recorded before a crash is read again by its cursors.
 */
export class JournaldSource implements BatchSource {
  readonly id: string
  readonly isIndependent = true
  readonly #options: JournaldOptions
  /** Behind what was read; `undefined`: nothing is known yet. */
  #position: Position | undefined
  #following: Journalctl | undefined
  #again: { readonly key: string; readonly reader: Journalctl } | undefined
  #changes: (() => void)[] = []

  constructor(options: JournaldOptions) {
    this.id = options.id
    this.#options = options
    const stored = options.deps.cursors.find(({ place }) => place === PLACE)?.value
    this.#position = (stored as { at: Position } | undefined)?.at
  }

  async next(): Promise<Extent | undefined> {
    const { selection, start } = this.#options
    // The time of the first start has to outlast a restart before the first entry.
    if (!this.#position && 'sinceMs' in start) return { kind: 'journal', selection, from: start, to: start, count: 0 }
    this.#following ??= this.#open(selection, this.#position ?? start, true)
    const { waiting, from } = this.#following
    let bytes = 0
    let count = 0
    for (; count < Math.min(waiting.length, MAX_ENTRIES); count++) {
      bytes += waiting[count]!.bytes.length
      if (count > 0 && bytes > WINDOW_BYTES) break
    }
    if (count === 0) return undefined
    const to: Position = { after: waiting[count - 1]!.cursor }
    return { kind: 'journal', selection, from, to, count } satisfies JournalExtent
  }

  async read(recorded: Extent): Promise<readonly Chunk[]> {
    const extent = recorded as JournalExtent
    const { from, to, count } = extent
    const isNext = this.#position === undefined || isSame(this.#position, from)
    const { entries, lost } = count === 0 ? { entries: [], lost: 0 } : (this.#taken(extent) ?? (await this.#reread(extent)))
    if (isNext) await this.#goTo(to)
    const chunks = entries.map((entry) => this.#chunkOf(entry))
    if (lost > 0) chunks.push({ ...this.#nothing(extent), faults: [lostFault(lost)] })
    return chunks.length > 0 ? chunks : [this.#nothing(extent)]
  }

  receivedMs(): undefined {
    return undefined
  }

  parsed(recorded: Extent): Cursor {
    return { place: PLACE, value: { at: (recorded as JournalExtent).to } }
  }

  committed(): void {}

  status(): SourceStatus {
    const missing = this.#options.missing()
    const failure = this.#following?.problem ?? this.#again?.reader.problem
    const problems = [missing, failure].filter((problem) => problem !== undefined)
    const notices = [this.#following?.notice].filter((notice) => notice !== undefined)
    return { backlogBytes: this.#following?.waitingBytes ?? 0, notices: [...notices, ...problems], problems }
  }

  async close(): Promise<void> {
    await Promise.all([this.#following?.close(), this.#again?.reader.close()])
  }

  /** What follows is read from there. */
  async #goTo(position: Position): Promise<void> {
    this.#position = position
    if (!this.#following || isSame(this.#following.from, position)) return
    await this.#following.close()
    this.#following = undefined
  }

  #open(selection: readonly string[], from: Position, follows: boolean): Journalctl {
    const onChange = () => {
      for (const resolve of this.#changes.splice(0)) resolve()
      this.#options.deps.wake()
    }
    const { program, deps } = this.#options
    return new Journalctl({ program, selection, from, follows, maxRecordBytes: deps.maxRecordBytes, onChange })
  }

  /** The entries of an extent that was just returned by `next`. */
  #taken({ from, to, count }: JournalExtent) {
    const reader = this.#following
    const last = reader?.waiting[count - 1]
    if (!reader || !last || !isSame(reader.from, from) || !isSame({ after: last.cursor }, to)) return undefined
    return { entries: reader.take(count), lost: 0 }
  }

  /** The entries of an extent that was recorded before. What the journal has deleted meanwhile is lost. */
  async #reread(extent: JournalExtent): Promise<{ entries: readonly JournalEntry[]; lost: number }> {
    const key = JSON.stringify(extent)
    if (this.#again?.key !== key) {
      await this.#again?.reader.close()
      this.#again = { key, reader: this.#open(extent.selection, extent.from, false) }
    }
    const { reader } = this.#again
    const untilMs = performance.now() + REREAD_MS
    for (;;) {
      const at = reader.waiting.findIndex(({ cursor }) => isSame({ after: cursor }, extent.to))
      if (at >= 0 || reader.isOver || reader.isFull) {
        await reader.close()
        this.#again = undefined
        const entries = reader.take(at + 1)
        return { entries, lost: Math.max(0, extent.count - entries.length) }
      }
      const leftMs = untilMs - performance.now()
      if (leftMs <= 0) throw new RetryLater(reader.problem ?? `${extent.count} entries of the journal are being read again`)
      await inTime(new Promise<void>((resolve) => this.#changes.push(resolve)), leftMs)
    }
  }

  /** Each entry is a body of its own, so its row id depends on nothing but its cursor. */
  #chunkOf({ cursor, bytes, long }: JournalEntry): Chunk {
    const chunk = { place: hash16(this.id, cursor), offset: 0, context: '', final: true }
    if (long)
      return { ...chunk, bytes: new Uint8Array(), faults: [tooLongFault({ offset: 0, raw: bytes, ...long }, 'the journal')] }
    const json = Buffer.from(journalJson(bytes))
    return {
      ...chunk,
      bytes: json,
      records: Uint32Array.of(0, json.length),
      hints: [{ from: 0, hints: { logType: JOURNAL_LOG_TYPE } }],
      faults: [],
    }
  }

  #nothing({ from }: JournalExtent): Chunk {
    const place = hash16(this.id, JSON.stringify(from))
    return { bytes: new Uint8Array(), place, offset: 0, context: '', final: true, faults: [] }
  }
}

function isSame(a: Position, b: Position): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function lostFault(lost: number): Fault {
  const message = `${lost} entries were deleted from the journal before they could be read again after a crash: raise SystemMaxUse= in journald.conf if it keeps too little`
  const raw = new Uint8Array()
  return { reason: 'truncated', message, offset: 0, length: 0, sha256: sha256(raw), raw }
}
