import type { TableDefinition } from '../definition.ts'
import { providerDefinition } from '../index.ts'
import type { CompareVersions, KeeperClock } from '../keeper-types.ts'
import type { BuiltTable } from '../table.ts'
import type { DiffCounts } from './diff.ts'
import { tableFolder } from './files.ts'
import type { VersionPeriod } from './history.ts'
import { VersionStore } from './version-store.ts'

export interface TableVersionsOptions {
  readonly definition: TableDefinition
  /** `data/tables`. */
  readonly tablesFolder: string
  readonly clock: KeeperClock
  readonly compare: CompareVersions
  /** Versions of the table that an alert names. */
  readonly namedVersions: (table: string) => Promise<ReadonlySet<string>>
  /** Called when a version cannot be stored or compared. */
  readonly onError: (error: unknown) => void
  /** Aborted when the table is removed, or everything stops. */
  readonly signal: AbortSignal
}

/** Of content that is composed here, which can change every second, one version in this many milliseconds is kept. */
const BRIEF_MS = 60 * 60_000

/** The versions of a table as it is refreshed: which are stored, and how they differ. */
export class TableVersions {
  readonly #options: TableVersionsOptions
  readonly #store: VersionStore

  private constructor(options: TableVersionsOptions, store: VersionStore) {
    this.#options = options
    this.#store = store
  }

  static async open(options: TableVersionsOptions): Promise<TableVersions> {
    return new TableVersions(options, await VersionStore.open(tableFolder(options.tablesFolder, options.definition.name)))
  }

  /** Oldest first; the last one is in force, or was. */
  get periods(): readonly VersionPeriod[] {
    return this.#store.periods
  }

  /** The path of a version's content. */
  pathOf(version: string): string {
    return this.#store.pathOf(version)
  }

  /** Writes content to be checked; it is removed by `drop`, unless `keep` has made it a version. */
  candidate(unpacked: Uint8Array): Promise<string> {
    return this.#store.candidate(unpacked)
  }

  /** See `VersionStore.erase`. */
  erase(isMeant: (content: Uint8Array) => boolean, isDry: boolean): Promise<number> {
    return this.#store.erase(isMeant, isDry)
  }

  drop(candidate: string): Promise<void> {
    return this.#store.drop(candidate)
  }

  /**
   * Stores a version that is in force now; without a candidate, its content is stored already. Resolves with its period; with `undefined`
   * if it took the place of one that was in force only briefly.
   */
  async keep(
    candidate: string | undefined,
    { version, rows, skipped, passedOver }: BuiltTable,
    about: Pick<VersionPeriod, 'origin' | 'by' | 'fileName' | 'bytes'>,
  ): Promise<VersionPeriod | undefined> {
    const checks = passedOver && { passedOver: [...passedOver] }
    const period = { version, sinceMs: this.#options.clock.now(), rows, skipped, ...checks, ...about }
    if (candidate !== undefined && (await this.#isBrief(period.sinceMs))) {
      await this.#store.replace(candidate, period)
      return undefined
    }
    await this.#store.keep(candidate, period)
    return period
  }

  /** Compares a version that has just come into force with the one before, then removes versions beyond the limits. Never rejects. */
  async compare(period: VersionPeriod): Promise<DiffCounts | undefined> {
    const { definition, compare, namedVersions, signal, onError } = this.#options
    try {
      const before = this.periods.findLast(({ sinceMs, untilMs }) => sinceMs < period.sinceMs || untilMs === period.sinceMs)
      const changes =
        before === undefined || before.isGone || signal.aborted
          ? undefined
          : await compare(definition.name, { before: this.#file(before), after: this.#file(period) }, signal)
      if (changes) await this.#store.describe(period.version, period.sinceMs, { changes })
      await this.#store.prune(definition.keep, () => namedVersions(definition.name))
      return changes
    } catch (error) {
      if (!signal.aborted) onError(error)
      return undefined
    }
  }

  #file({ version, fileName }: VersionPeriod) {
    return { path: this.pathOf(version), fileName }
  }

  /** True if the version in force need not be kept. */
  async #isBrief(nowMs: number): Promise<boolean> {
    const { definition, namedVersions } = this.#options
    const inForce = this.periods.at(-1)
    if (!inForce || !definition.provider || !providerDefinition(definition.provider.type).isComposed) return false
    if (nowMs - inForce.sinceMs >= BRIEF_MS) return false
    return !(await namedVersions(definition.name)).has(inForce.version)
  }
}
