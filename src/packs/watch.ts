import { type FSWatcher, watch } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hash16 } from '../util/hash.ts'

export interface WatchOptions {
  /** Called once after changes, when nothing has changed for `quietMs`. */
  readonly onChange: () => void
  readonly quietMs?: number
  /** Folders are looked at this often, whatever the system reports: network drives report nothing. */
  readonly lookMs?: number
}

const QUIET_MS = 500
const LOOK_MS = 60_000
const MAX_ENTRIES = 50_000

/** Watches folders of content, and all below them, for changes. Folders that are not there yet are found when they are. */
export class ContentWatch {
  readonly #folders: readonly string[]
  readonly #options: Required<WatchOptions>
  readonly #watchers = new Map<string, FSWatcher>()
  #timer: NodeJS.Timeout | undefined
  #looking: NodeJS.Timeout | undefined
  #seen: string | undefined
  #isClosed = false

  constructor(folders: readonly string[], { onChange, quietMs = QUIET_MS, lookMs = LOOK_MS }: WatchOptions) {
    this.#folders = folders
    this.#options = { onChange, quietMs, lookMs }
  }

  /** Resolves when every later change is seen. */
  async start(): Promise<void> {
    this.#listen()
    this.#seen = await this.#state()
    this.#looking = setInterval(() => void this.#look(), this.#options.lookMs).unref()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    clearInterval(this.#looking)
    for (const watcher of this.#watchers.values()) watcher.close()
  }

  #listen(): void {
    for (const folder of this.#folders) {
      if (this.#watchers.has(folder)) continue
      try {
        const watcher = watch(folder, { recursive: true, persistent: false }, (_, name) => {
          if (name === null || !isPassedOver(name)) this.#changed()
        })
        watcher.on('error', () => this.#forget(folder))
        this.#watchers.set(folder, watcher)
      } catch {
        // It is not there, or the system watches no more folders: it is checked at intervals.
      }
    }
  }

  #forget(folder: string): void {
    this.#watchers.get(folder)?.close()
    this.#watchers.delete(folder)
  }

  #changed(): void {
    if (this.#isClosed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#options.onChange()
      // So that a look does not report the same again.
      void this.#state().then((state) => {
        this.#seen = state
      })
    }, this.#options.quietMs).unref()
  }

  async #look(): Promise<void> {
    this.#listen()
    const state = await this.#state()
    if (state === this.#seen || this.#isClosed) return
    this.#seen = state
    this.#changed()
  }

  /** A hash of what lies in the folders: names, sizes, times. */
  async #state(): Promise<string> {
    const entries: string[] = []
    for (const folder of this.#folders) await list(folder, entries).catch(() => {})
    return hash16(...entries.sort())
  }
}

function isPassedOver(path: string): boolean {
  return path.split(/[\\/]/).some((part) => part.startsWith('.') || part === '__pycache__' || part === 'node_modules')
}

async function list(folder: string, entries: string[]): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (isPassedOver(entry.name) || entries.length >= MAX_ENTRIES) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await list(path, entries)
    else {
      const { size, mtimeMs } = await stat(path).catch(() => ({ size: 0, mtimeMs: 0 }))
      entries.push(`${path}\0${size}\0${mtimeMs}`)
    }
  }
}
