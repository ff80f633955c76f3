import { readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MOST_BYTES, unpack } from '../content.ts'
import { CONTENT_SUFFIX, contentFile, hashOf, packed, writeCandidate, writeWhole } from './files.ts'
import { HISTORY_FILE, historyText, readHistory, type VersionPeriod } from './history.ts'
import type { Keep } from './keep.ts'

/** Files of versions that an earlier version of Caracal has left. */
const FORMER_SUFFIX = '.content'
/** Periods that are listed, including those whose content is gone. */
const MOST_PERIODS = 5000

/** The versions of one table on disk: contents by hash, and the list of when each was in force. */
export class VersionStore {
  readonly #folder: string
  #periods: VersionPeriod[]
  /** Hash of the content that `replace` has replaced last. */
  #replaced: string | undefined
  /** Settles when the changes requested so far are on disk. */
  #changing: Promise<unknown> = Promise.resolve()

  private constructor(folder: string, periods: VersionPeriod[]) {
    this.#folder = folder
    this.#periods = periods
  }

  /** Opens a table's folder, which need not exist. A damaged list is begun again from the files. */
  static async open(folder: string): Promise<VersionStore> {
    const periods = await readHistory(folder).catch(() => [])
    const store = new VersionStore(folder, periods)
    await store.#carryOver()
    await store.#dropUnlisted()
    return store
  }

  /** Oldest first; the last one is in force, or was. */
  get periods(): readonly VersionPeriod[] {
    return this.#periods
  }

  /** The path of a version's content, compressed with gzip. */
  pathOf(version: string): string {
    return join(this.#folder, contentFile(version))
  }

  /** Writes content to be checked; `keep` makes it a version, and `drop` removes it. */
  async candidate(unpacked: Uint8Array): Promise<string> {
    return writeCandidate(this.#folder, await packed(unpacked))
  }

  async drop(candidate: string): Promise<void> {
    await rm(candidate, { force: true })
  }

  /** Makes a candidate a version that is in force from now on. Without a candidate, its content is stored already. */
  keep(candidate: string | undefined, period: VersionPeriod): Promise<void> {
    return this.#change(() => this.#keep(candidate, period))
  }

  /** The same, but in place of the version in force: as if the candidate had been in force since then. */
  replace(candidate: string, period: VersionPeriod): Promise<void> {
    return this.#change(async () => {
      const before = this.#periods.at(-1)
      this.#periods = this.#periods.slice(0, -1)
      await this.#keep(candidate, { ...period, sinceMs: before?.sinceMs ?? period.sinceMs })
      await this.#dropReplaced(before?.version)
    })
  }

  async #keep(candidate: string | undefined, period: VersionPeriod): Promise<void> {
    const path = this.pathOf(period.version)
    if (candidate !== undefined) await rename(candidate, path)
    const { size: storedBytes } = await stat(path)
    const before = this.#periods.at(-1)
    const ended = before && { ...before, untilMs: before.untilMs ?? period.sinceMs }
    const others = [...this.#periods.slice(0, -1), ...(ended ? [ended] : [])].map((one) => withContent(one, period.version))
    this.#periods = [...others, { ...period, storedBytes }].slice(-MOST_PERIODS)
    await this.#save()
  }

  /** The last replaced content stays until the next: whoever is notified of a change may compare the two. */
  async #dropReplaced(next: string | undefined): Promise<void> {
    const [hash, isListed] = [this.#replaced, (one: string) => this.#periods.some(({ version }) => hashOf(version) === one)]
    if (hash !== undefined && !isListed(hash)) await rm(join(this.#folder, contentFile(hash)), { force: true })
    this.#replaced = next && hashOf(next)
  }

  /** Adds to what is known of a version that came into force then. */
  describe(version: string, sinceMs: number, more: Pick<VersionPeriod, 'changes'>): Promise<void> {
    return this.#change(async () => {
      this.#periods = this.#periods.map((period) =>
        period.version === version && period.sinceMs === sinceMs ? { ...period, ...more } : period,
      )
      await this.#save()
    })
  }

  /**
   * Removes the contents of the oldest versions beyond the limits, except the one in force and those that `isNamed` by an alert that
   * still exists. `isNamed` is only called if something is to be removed.
   */
  prune(keep: Keep, named: () => Promise<ReadonlySet<string>>): Promise<void> {
    return this.#change(() => this.#prune(keep, named))
  }

  async #prune({ Versions, MaxBytes }: Keep, named: () => Promise<ReadonlySet<string>>): Promise<void> {
    const inForce = this.#periods.at(-1)
    if (!inForce) return
    const kept = new Set([hashOf(inForce.version)])
    let bytes = inForce.storedBytes ?? 0
    const beyond: VersionPeriod[] = []
    for (const period of this.#periods.toReversed()) {
      const hash = hashOf(period.version)
      if (period.isGone || kept.has(hash)) continue
      const size = period.storedBytes ?? 0
      if (beyond.length === 0 && kept.size < Versions && bytes + size <= MaxBytes) {
        kept.add(hash)
        bytes += size
      } else beyond.push(period)
    }
    if (beyond.length === 0) return
    const isNamed = await named()
    const hashes = new Set([...isNamed].map(hashOf))
    const gone = new Set(beyond.map(({ version }) => hashOf(version)).filter((hash) => !hashes.has(hash)))
    if (gone.size === 0) return
    this.#periods = this.#periods.map((period) => (gone.has(hashOf(period.version)) ? { ...period, isGone: true } : period))
    // First the list: a file that it does not name is harmless, one that it names and that is missing is not.
    await this.#save()
    for (const hash of gone) await rm(join(this.#folder, contentFile(hash)), { force: true })
  }

  /**
   * Removes the contents of past versions that are `meant`, and returns how many those are; `isDry`: only counts. What is in force stays.
   */
  async erase(isMeant: (content: Uint8Array) => boolean, isDry: boolean): Promise<number> {
    let n = 0
    await this.#change(async () => {
      const inForce = this.#periods.at(-1)
      const past = this.#periods.filter(({ isGone }) => !isGone).map(({ version }) => hashOf(version))
      const gone = new Set<string>()
      for (const hash of new Set(past)) {
        if (inForce && hash === hashOf(inForce.version)) continue
        const bytes = await readFile(join(this.#folder, contentFile(hash))).catch(() => undefined)
        const content = bytes && (await unpack(bytes, { max_bytes: MOST_BYTES }).catch(() => bytes))
        if (content && isMeant(content)) gone.add(hash)
      }
      n = gone.size
      if (isDry || n === 0) return
      this.#periods = this.#periods.map((period) => (gone.has(hashOf(period.version)) ? { ...period, isGone: true } : period))
      await this.#save()
      for (const hash of gone) await rm(join(this.#folder, contentFile(hash)), { force: true })
    })
    return n
  }

  /** Changes the list, one change at a time. */
  #change(change: () => Promise<void>): Promise<void> {
    const done = this.#changing.then(change)
    this.#changing = done.catch(() => {})
    return done
  }

  async #save(): Promise<void> {
    await writeWhole(join(this.#folder, HISTORY_FILE), historyText(this.#periods))
  }

  /** Removes contents that a crash has left without a place in the list. */
  async #dropUnlisted(): Promise<void> {
    // A list that was damaged says nothing about the files.
    if (this.#periods.length === 0) return
    const listed = new Set(this.#periods.map(({ version }) => contentFile(version)))
    const names = (await readdir(this.#folder).catch(() => [])).filter((name) => name.endsWith(CONTENT_SUFFIX))
    for (const name of names) if (!listed.has(name)) await rm(join(this.#folder, name), { force: true })
  }

  /** Turns the files of an earlier version of Caracal, `<version>.content`, into versions: each was in force from when it was written. */
  async #carryOver(): Promise<void> {
    const names = (await readdir(this.#folder).catch(() => [])).filter((name) => name.endsWith(FORMER_SUFFIX))
    const files = await Promise.all(
      names.map(async (name) => ({ name, sinceMs: Math.trunc((await stat(join(this.#folder, name))).mtimeMs) })),
    )
    for (const { name, sinceMs } of files.toSorted((a, b) => a.sinceMs - b.sinceMs)) {
      const former = join(this.#folder, name)
      const version = name.slice(0, -FORMER_SUFFIX.length)
      const bytes = await readFile(former)
      const unpacked = await unpack(bytes, { max_bytes: MOST_BYTES }).catch(() => undefined)
      if (unpacked && this.#periods.at(-1)?.version !== version) {
        const candidate = await this.candidate(unpacked)
        await this.keep(candidate, { version, sinceMs, origin: 'fetched', bytes: unpacked.length })
      }
      await rm(former, { force: true })
    }
  }
}

/** A period whose content is stored again. */
function withContent(period: VersionPeriod, version: string): VersionPeriod {
  if (!period.isGone || hashOf(period.version) !== hashOf(version)) return period
  const { isGone: _, ...rest } = period
  return rest
}
