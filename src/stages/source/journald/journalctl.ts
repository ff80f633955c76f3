import { type ChildProcess, spawn } from 'node:child_process'
import { messageOf } from '../../../util/errors.ts'
import { COMMAND_ENV } from '../run-command.ts'
import { type ExportEntry, ExportFrames } from './export-frames.ts'

/** Where reading begins: behind an entry, or at a time or boot. */
export type Position =
  | { readonly after: string }
  | { readonly sinceMs: number }
  | { readonly boot: true }
  | { readonly all: true }

export interface JournalctlOptions {
  /** What is run: the program, and its first arguments. */
  readonly program: readonly string[]
  /** Which journal, and which of its entries: arguments of journalctl. */
  readonly selection: readonly string[]
  readonly from: Position
  /** False: it ends behind the last entry that there is. */
  readonly follows: boolean
  readonly maxRecordBytes: number
  /** Called when there is more to take, and when its state has changed. */
  readonly onChange: () => void
}

/** An entry of a journal, which always has a cursor. */
export type JournalEntry = ExportEntry & { readonly cursor: string }

/** While more than this waits, journalctl has to wait too. */
const FULL_BYTES = 4 * 1024 * 1024
const FIRST_PAUSE_MS = 1000
const MAX_PAUSE_MS = 60_000
const MAX_STDERR_CHARS = 1000

/** Runs journalctl, again and with growing pauses when it ends although it follows, and holds the entries that were not taken yet. */
export class Journalctl {
  /** Where the first waiting entry comes behind. */
  from: Position
  readonly waiting: JournalEntry[] = []
  waitingBytes = 0
  /** It has ended behind the last entry. */
  isOver = false
  /** Why nothing is read at the moment. */
  problem: string | undefined
  readonly #options: JournalctlOptions
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  #stderr = ''
  #pauseMs = FIRST_PAUSE_MS
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: JournalctlOptions) {
    this.#options = options
    this.from = options.from
    this.#start()
  }

  /** What journalctl has to say, such as whose entries it may not read. */
  get notice(): string | undefined {
    return this.#stderr === '' || this.problem ? undefined : `journalctl says: ${this.#stderr}`
  }

  get isFull(): boolean {
    return this.waitingBytes > FULL_BYTES
  }

  /** Takes the first entries, which must be there. */
  take(count: number): JournalEntry[] {
    const taken = this.waiting.splice(0, count)
    for (const { bytes } of taken) this.waitingBytes -= bytes.length
    const last = taken.at(-1)
    if (last) this.from = { after: last.cursor }
    if (!this.isFull) this.#child?.stdout?.resume()
    return taken
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#kill()
    await this.#ended
  }

  #start(): void {
    const last = this.waiting.at(-1)
    const from = last ? { after: last.cursor } : this.from
    this.#stderr = ''
    const frames = new ExportFrames(this.#options.maxRecordBytes)
    const [program = '', ...first] = this.#options.program
    const child = spawn(program, [...first, ...argumentsOf(this.#options, from)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: COMMAND_ENV,
    })
    this.#child = child
    let fault: string | undefined
    child.stdout.on('data', (piece: Buffer) => {
      try {
        if (fault === undefined) this.#add(frames.push(piece))
      } catch (error) {
        fault = `what it prints cannot be read: ${messageOf(error)}`
        this.#kill()
      }
    })
    child.stderr.on('data', (piece: Buffer) => {
      this.#stderr = `${this.#stderr}${piece}`.trim().slice(-MAX_STDERR_CHARS)
      this.#options.onChange()
    })
    this.#ended = new Promise((resolve) => {
      child.on('error', (error: NodeJS.ErrnoException) => {
        const isMissing = error.code === 'ENOENT'
        this.#onEnd(isMissing ? 'there is no program journalctl here, which is part of systemd' : messageOf(error))
        resolve()
      })
      child.on('close', (code, by) => {
        const how = by ? `it was ended by ${by}` : `it ended with exit code ${code}`
        const isWhole = code === 0 && fault === undefined && frames.pending === 0
        this.#onEnd(isWhole && !this.#options.follows ? undefined : (fault ?? how))
        resolve()
      })
    })
  }

  /** Adds entries up to a fault, which is thrown. */
  #add(entries: Iterable<ExportEntry>): void {
    const before = this.waiting.length
    try {
      for (const entry of entries) {
        if (entry.cursor === undefined) throw new Error('there is an entry without a cursor')
        this.waiting.push(entry as JournalEntry)
        this.waitingBytes += entry.bytes.length
      }
    } finally {
      if (this.waiting.length > before) this.#onMore()
    }
  }

  #onMore(): void {
    this.problem = undefined
    this.#pauseMs = FIRST_PAUSE_MS
    if (this.isFull) this.#child?.stdout?.pause()
    this.#options.onChange()
  }

  #onEnd(failure: string | undefined): void {
    // A program that cannot be started causes two events.
    if (this.#isClosed || this.isOver || this.#child === undefined) return
    this.#child = undefined
    if (failure === undefined) this.isOver = true
    else {
      const words = this.#stderr === '' ? '' : `: ${this.#stderr}`
      this.problem = `the journal cannot be read: ${failure}${words}. It is tried again within ${this.#pauseMs / 1000} s`
      this.#timer = setTimeout(() => this.#start(), this.#pauseMs)
      this.#pauseMs = Math.min(2 * this.#pauseMs, MAX_PAUSE_MS)
    }
    this.#options.onChange()
  }

  #kill(): void {
    try {
      if (this.#child?.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL')
    } catch {
      // It has just ended.
    }
  }
}

function argumentsOf({ selection, follows }: JournalctlOptions, from: Position): string[] {
  // Texts of any length and bytes of any kind are whole in this format only.
  const format = ['--output=export', '--no-pager', '--no-tail']
  return [...format, ...(follows ? ['--follow'] : []), ...placeOf(from), ...selection]
}

function placeOf(from: Position): string[] {
  if ('after' in from) return [`--after-cursor=${from.after}`]
  if ('sinceMs' in from) return [`--since=@${(from.sinceMs / 1000).toFixed(3)}`]
  return 'boot' in from ? ['--boot'] : []
}
