import { type FSWatcher, watch } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hash16 } from '../util/hash.ts'
import { isUnder } from './under.ts'

export interface WatchOptions {
  /** A change is reported once nothing has changed for this long. */
  readonly quietMs?: number
  /** How often folders are checked regardless of notifications, since network drives send none. */
  readonly lookMs?: number
  /** Folders that are not content wherever they are, absolute. */
  readonly without?: readonly string[]
}

const QUIET_MS = 500
const LOOK_MS = 60_000
const MAX_ENTRIES = 50_000

/**
 * Watches content folders, with everything below them, for changes; links are followed. Folders that do not exist yet are found once they
 * do.
 */
export class ContentWatch {
  readonly #folders: readonly string[]
  readonly #options: Required<WatchOptions>
  readonly #watchers = new Map<string, FSWatcher>()
  #timer: NodeJS.Timeout | undefined
  #looking: NodeJS.Timeout | undefined
  #seen: string | undefined
  #onChange: () => void = () => {}
  #isClosed = false

  constructor(folders: readonly string[], { quietMs = QUIET_MS, lookMs = LOOK_MS, without = [] }: WatchOptions = {}) {
    this.#folders = folders
    this.#options = { quietMs, lookMs, without }
  }

  /** Records the current state: changes up to `start` are reported then. */
  async note(): Promise<void> {
    this.#seen = (await this.#state()).hash
  }

  /** Resolves when every later change will be seen: `onChange` is called once after changes. */
  async start(onChange: () => void): Promise<void> {
    this.#onChange = onChange
    if (this.#seen === undefined) await this.note()
    await this.#look()
    this.#looking = setInterval(() => void this.#look(), this.#options.lookMs).unref()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    clearInterval(this.#looking)
    for (const watcher of this.#watchers.values()) watcher.close()
  }

  #listen(path: string): void {
    if (this.#watchers.has(path) || this.#isClosed) return
    try {
      const watcher = watch(path, { recursive: true, persistent: false }, (_, name) => {
        if (name === null || !this.#isPassedOver(path, name)) this.#changed()
      })
      watcher.on('error', () => this.#forget(path))
      this.#watchers.set(path, watcher)
    } catch {
      // It does not exist, or the system cannot watch more folders: it is checked at intervals.
    }
  }

  #isPassedOver(folder: string, name: string): boolean {
    const path = join(folder, name)
    return isPassedOver(name) || this.#options.without.some((one) => isUnder(one, path))
  }

  #forget(folder: string): void {
    this.#watchers.get(folder)?.close()
    this.#watchers.delete(folder)
  }

  #changed(): void {
    if (this.#isClosed) return
    clearTimeout(this.#timer)
    const timer = setTimeout(() => void this.#tell(timer), this.#options.quietMs).unref()
    this.#timer = timer
  }

  async #tell(timer: NodeJS.Timeout): Promise<void> {
    // Before the content is read: anything that changes from here on is a new change.
    this.#seen = (await this.#state()).hash
    if (this.#timer === timer) this.#timer = undefined
    if (!this.#isClosed) this.#onChange()
  }

  async #look(): Promise<void> {
    for (const folder of this.#folders) this.#listen(folder)
    const { hash, links } = await this.#state()
    for (const link of links) this.#listen(link)
    // A change that is about to be reported is not reported twice.
    if (hash !== this.#seen && !this.#timer) this.#changed()
  }

  /** A hash of the folders' entries (names, sizes, times), and the targets of their links. */
  async #state(): Promise<{ readonly hash: string; readonly links: readonly string[] }> {
    const found: Found = { entries: [], links: [], visited: new Set(), without: this.#options.without }
    for (const folder of this.#folders) await list(folder, found).catch(() => {})
    return { hash: hash16(...found.entries.sort()), links: found.links }
  }
}

interface Found {
  readonly entries: string[]
  readonly links: string[]
  /** Real paths of folders: links may form cycles. */
  readonly visited: Set<string>
  readonly without: readonly string[]
}

function isPassedOver(path: string): boolean {
  return path.split(/[\\/]/).some((part) => part.startsWith('.') || part === '__pycache__' || part === 'node_modules')
}

async function list(folder: string, found: Found): Promise<void> {
  const real = await realpath(folder)
  if (found.visited.has(real)) return
  found.visited.add(real)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (isPassedOver(entry.name) || found.entries.length >= MAX_ENTRIES) continue
    const path = join(folder, entry.name)
    if (found.without.includes(path)) continue
    const at = await stat(path).catch(() => undefined)
    if (entry.isSymbolicLink() && at) found.links.push(await realpath(path).catch(() => path))
    if (at?.isDirectory()) await list(path, found)
    else found.entries.push(`${path}\0${at?.size ?? 0}\0${at?.mtimeMs ?? 0}`)
  }
}
