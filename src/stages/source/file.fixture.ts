import type { Cursor, Extent } from '../../model/batch.ts'
import { file } from './file.ts'
import { type BatchSource, BUSY, NOTHING_OUTSIDE } from './source.ts'

export const IDLE_MS = 60_000
/** Longer than the source's interval between checks for new files. */
export const LOOK_MS = 2000

/** A source with what the pipeline does around it, its own clock, and everything that it returned. */
export class Reading {
  source!: BatchSource
  readonly #folder: string
  skewMs = 0
  /** Number of turns in which the source reached its reading limit. */
  busy = 0
  readonly cursors = new Map<string, Cursor>()
  readonly lines: string[] = []
  readonly faults: { reason: string; raw: string; length: number }[] = []
  readonly extents: { extent: Extent; bytes: string }[] = []
  readonly rowIds = new Set<string>()

  /** Reads `*.log*` in the folder. */
  constructor(folder: string) {
    this.#folder = folder
    this.open()
  }
  open(): void {
    const config = file.config.parse({ id: 'f', paths: [`${this.#folder}/*.log*`], poll_ms: 20, idle_ms: IDLE_MS })
    const deps = {
      cursors: [...this.cursors.values()],
      wake: () => {},
      now: () => Date.now() + this.skewMs,
      maxRecordBytes: 100_000,
      outside: NOTHING_OUTSIDE,
    }
    this.source = file.seekable!(config, deps)
  }
  async restart(): Promise<void> {
    await this.source.close()
    this.open()
  }
  /** Checks for files and reads everything available. Returns the new lines. */
  async pull(afterMs = LOOK_MS + 30_000): Promise<string[]> {
    const before = this.lines.length
    this.skewMs += afterMs
    for (let extent = await this.source.next(); extent; extent = await this.source.next()) {
      if (extent === BUSY) this.busy++
      else await this.take(extent)
    }
    return this.lines.slice(before)
  }
  async take(extent: Extent): Promise<void> {
    const [chunk] = await this.source.read(extent)
    const text = Buffer.from(chunk!.bytes).toString('latin1')
    const keep = (record: string, at: number) => {
      if (record === '') return
      this.lines.push(record)
      const rowId = `${chunk!.place}:${chunk!.offset + at}`
      if (this.rowIds.has(rowId)) throw new Error(`two records have the row id ${rowId}`)
      this.rowIds.add(rowId)
    }
    const { records } = chunk!
    for (let i = 0; records && i < records.length; i += 2) keep(text.slice(records[i], records[i + 1]), records[i]!)
    let at = 0
    for (const line of records ? [] : text.split('\n')) {
      keep(line, at)
      at += line.length + 1
    }
    for (const { reason, raw, length } of chunk!.faults)
      this.faults.push({ reason, raw: Buffer.from(raw).toString('latin1'), length })
    const cursor = this.source.parsed(extent, '')
    this.cursors.set(cursor.place, structuredClone(cursor))
    this.source.committed(extent)
    this.extents.push({ extent: structuredClone(extent), bytes: text })
  }
}
