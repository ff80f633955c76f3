import { readFileSync, statSync, utimesSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { sha256 } from './hash.ts'

/** A larger file cannot be ours. */
const MAX_BYTES = 256 * 1024 * 1024

/** Maximum number of files of a kind in a folder; the ones least recently used are deleted first. */
const MAX_FILES = 16

export interface KeptPlace {
  /** Created if missing. */
  readonly folder: string
  /** First part of the file's name: letters. */
  readonly kind: string
  /** Second part, 16 hex digits: keeps programs with different work from overwriting each other's files. */
  readonly id: string
  /** Identifies what made the texts; texts with another stamp are not read. */
  readonly stamp: string
  /** Number of texts to keep that this run did not use, since a later one may. */
  readonly spare: number
}

/**
 * A cache of expensive texts by key, in a file for the next run. A file that is damaged, has another stamp, or cannot be read or
 * written is ignored. Its hash detects damage, not tampering: it is as trustworthy as its folder, which only the owner can write
 * to.
 */
export class Kept {
  readonly #place: KeptPlace | undefined
  readonly #found: ReadonlyMap<string, string>
  /** Texts that this run used or made. */
  readonly #used = new Map<string, string>()
  #isChanged = false

  /** Without a folder everything is kept in memory only. */
  constructor(place: KeptPlace | undefined) {
    this.#place = place
    this.#found = place === undefined ? new Map() : readTexts(place)
  }

  get(key: string): string | undefined {
    const text = this.#used.get(key) ?? this.#found.get(key)
    if (text !== undefined) this.#used.set(key, text)
    return text
  }

  /** A key must not contain spaces, a text no line breaks. */
  set(key: string, text: string): void {
    this.#used.set(key, text)
    this.#isChanged = true
  }

  /**
   * Writes the file if there is something new, or too much that was not used. Renamed into place, so that readers only see
   * complete files.
   */
  async save(): Promise<void> {
    const place = this.#place
    if (place === undefined || (!this.#isChanged && this.#found.size <= this.#used.size + place.spare)) return
    const file = fileOf(place)
    const draft = `${file}.${process.pid}.${threadId}`
    const body = [...this.#kept(place)].map(([key, text]) => `${key} ${text}\n`).join('')
    try {
      await mkdir(place.folder, { recursive: true, mode: 0o700 })
      await writeFile(draft, `${place.stamp} ${sha256(Buffer.from(body))}\n${body}`, { mode: 0o600 })
      await rename(draft, file)
      await prune(place)
    } catch {
      // On a full or read-only disk we only lose the time that the file would have saved.
      await rm(draft, { force: true }).catch(() => {})
    }
    this.#isChanged = false
  }

  /** The texts used, followed by some of those now in the file, which another process may have written in the meantime. */
  #kept(place: KeptPlace): ReadonlyMap<string, string> {
    const kept = new Map(this.#used)
    const most = kept.size + place.spare
    for (const [key, text] of place.spare > 0 ? readTexts(place) : []) {
      if (kept.size >= most) break
      if (!kept.has(key)) kept.set(key, text)
    }
    return kept
  }
}

function fileOf({ folder, kind, id }: KeptPlace): string {
  return join(folder, `${kind}-${id}`)
}

function readTexts(place: KeptPlace): Map<string, string> {
  const texts = new Map<string, string>()
  try {
    const file = fileOf(place)
    if (statSync(file).size > MAX_BYTES) return texts
    const bytes = readFileSync(file)
    const lineEnd = bytes.indexOf(10)
    const body = bytes.subarray(lineEnd + 1)
    if (lineEnd < 0 || bytes.toString('utf8', 0, lineEnd) !== `${place.stamp} ${sha256(body)}`) return texts
    touch(file)
    for (const line of body.toString('utf8').split('\n')) {
      const space = line.indexOf(' ')
      if (space > 0) texts.set(line.slice(0, space), line.slice(space + 1))
    }
  } catch {
    // Not there yet, or unreadable.
  }
  return texts
}

/** Marks the file as used. A folder that is read-only is never pruned either. */
function touch(file: string): void {
  try {
    const now = new Date()
    utimesSync(file, now, now)
  } catch {
    // Others' files can be read all the same.
  }
}

async function prune({ folder, kind }: KeptPlace): Promise<void> {
  const ours = new RegExp(`^${kind}-[0-9a-f]{16}$`)
  const names = (await readdir(folder)).filter((name) => ours.test(name))
  if (names.length <= MAX_FILES) return
  const files = await Promise.all(
    names.map(async (name) => ({ path: join(folder, name), usedMs: (await stat(join(folder, name))).mtimeMs })),
  )
  files.sort((a, b) => b.usedMs - a.usedMs)
  await Promise.all(files.slice(MAX_FILES).map(({ path }) => rm(path, { force: true })))
}
