import type { BodyMemory } from '../body-memory.ts'
import { RequestRefused } from '../refusal.ts'
import { type ExportEntry, ExportFrames, MalformedExport } from './export-frames.ts'

/** What waits is put into the spool at this size or number of entries. */
const BODY_BYTES = 1024 * 1024
const BODY_ENTRIES = 10_000
/** Journals of which an upload has not ended; that of the longest ago is forgotten first. */
const MAX_JOURNALS = 10_000

/**
 * How far uploads have come that have not ended. A sender whose upload broke off sends it again from its start: what was stored
 * meanwhile is left out.
 */
export class UploadProgress {
  readonly #last = new Map<string, bigint>()

  /** Whether an unfinished upload has stored the entry. */
  has({ cursor }: ExportEntry, sender: string): boolean {
    const at = numberOf(cursor, sender)
    return at !== undefined && at.number <= (this.#last.get(at.journal) ?? -1n)
  }

  /** The journal that the entry is of, if its cursor says so. */
  stored({ cursor }: ExportEntry, sender: string): string | undefined {
    const at = numberOf(cursor, sender)
    if (!at) return undefined
    const last = this.#last.get(at.journal) ?? -1n
    this.#last.delete(at.journal)
    this.#last.set(at.journal, at.number > last ? at.number : last)
    if (this.#last.size > MAX_JOURNALS) this.#last.delete(this.#last.keys().next().value!)
    return at.journal
  }

  /** The sender knows that it need not send these journals' entries again. */
  ended(journals: Iterable<string>): void {
    for (const journal of journals) this.#last.delete(journal)
  }
}

/**
 * A cursor begins with the id of a sequence, the entry's number in it, which grows, and the id of the boot. Machines that are copies of one
 * image share the sequence, and those that were resumed from one snapshot the boot as well: the sender's address tells them apart.
 */
function numberOf(cursor: string | undefined, sender: string): { journal: string; number: bigint } | undefined {
  const [, sequence, digits, boot] = /^s=([0-9a-f]{1,32});i=([0-9a-f]{1,16});b=([0-9a-f]{1,32});/.exec(cursor ?? '') ?? []
  return sequence === undefined ? undefined : { journal: `${sequence} ${boot} ${sender}`, number: BigInt(`0x${digits}`) }
}

export interface UploadWriterOptions {
  readonly maxBytes: number
  readonly progress: UploadProgress
  /** Address of the sender. */
  readonly sender: string
  readonly memory: BodyMemory
  /** Resolves when the body is on disk. */
  readonly append: (body: Buffer) => Promise<void>
}

/** Puts the entries of one upload into the spool while it arrives, so that an upload may have any size. */
export class UploadWriter {
  readonly #options: UploadWriterOptions
  readonly #frames: ExportFrames
  readonly #journals = new Set<string>()
  #waiting: ExportEntry[] = []
  #waitingBytes = 0
  #held = 0

  constructor(options: UploadWriterOptions) {
    this.#options = options
    this.#frames = new ExportFrames(options.maxBytes)
  }

  /** Resolves when the sender may send more. Throws `MalformedExport`, after the entries before the fault are stored. */
  async write(piece: Uint8Array): Promise<void> {
    this.#hold(this.#held + piece.length)
    let fault: unknown
    try {
      for (const entry of this.#frames.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength))) this.#add(entry)
    } catch (error) {
      fault = error
    }
    if (fault || this.#waitingBytes >= BODY_BYTES || this.#waiting.length >= BODY_ENTRIES) await this.#store()
    if (fault) throw fault
    this.#hold(this.#waitingBytes + Math.min(this.#frames.pending, this.#options.maxBytes))
  }

  /** Resolves when all is stored. Throws `MalformedExport` if the last entry has no end. */
  async end(): Promise<void> {
    await this.#store()
    if (this.#frames.pending > 0) throw new MalformedExport('it breaks off within an entry')
    this.#options.progress.ended(this.#journals)
  }

  close(): void {
    this.#hold(0)
  }

  #add(entry: ExportEntry): void {
    const { progress, sender } = this.#options
    if (progress.has(entry, sender)) return
    this.#waiting.push(entry)
    this.#waitingBytes += entry.bytes.length
  }

  async #store(): Promise<void> {
    const { append, progress, sender } = this.#options
    const entries = this.#waiting.splice(0)
    this.#waitingBytes = 0
    const whole = entries.filter(({ long }) => !long)
    if (whole.length > 0) await append(Buffer.concat(whole.map(({ bytes }) => bytes)))
    // The beginning of an entry is a body that cannot be decoded, and as such a dead letter.
    for (const { bytes, long } of entries) if (long) await append(bytes)
    for (const entry of entries) {
      const journal = progress.stored(entry, sender)
      if (journal !== undefined) this.#journals.add(journal)
    }
  }

  #hold(bytes: number): void {
    const { memory } = this.#options
    if (bytes > this.#held && !memory.take(bytes - this.#held))
      throw new RequestRefused(503, 'too many bodies are being read; try again', { 'retry-after': '1', connection: 'close' })
    if (bytes < this.#held) memory.release(this.#held - bytes)
    this.#held = bytes
  }
}
