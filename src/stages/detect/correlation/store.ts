import type { CorrelationChanges, CorrelationEntry } from '../../../model/correlation.ts'

/** Entries in state, as they were after the last committed step. Nothing is written through it. */
export interface CorrelationStore {
  /** The entries that exist. */
  load(ids: readonly string[]): Promise<readonly CorrelationEntry[]>
  /** How many entries a rule has. */
  count(ruleId: string): Promise<number>
  /** Entries with `wakeMs` at or before a time, earliest first, at most `limit`. */
  wake(nowMs: number, limit: number): Promise<readonly CorrelationEntry[]>
  /** Entries of a rule with an id above one, in the order of their ids, at most `limit`. */
  entriesOf(ruleId: string, afterId: string, limit: number): Promise<readonly CorrelationEntry[]>
}

/** Entries in memory: for `run`, replays and tests. */
export class MemoryStore implements CorrelationStore {
  readonly #entries = new Map<string, CorrelationEntry>()

  async load(ids: readonly string[]): Promise<CorrelationEntry[]> {
    return ids.flatMap((id) => this.#entries.get(id) ?? [])
  }

  async count(ruleId: string): Promise<number> {
    let count = 0
    for (const entry of this.#entries.values()) if (entry.ruleId === ruleId) count++
    return count
  }

  async wake(nowMs: number, limit: number): Promise<CorrelationEntry[]> {
    return [...this.#entries.values()]
      .filter(({ wakeMs }) => wakeMs <= nowMs)
      .sort((a, b) => a.wakeMs - b.wakeMs || (a.id < b.id ? -1 : 1))
      .slice(0, limit)
  }

  async entriesOf(ruleId: string, afterId: string, limit: number): Promise<CorrelationEntry[]> {
    return [...this.#entries.values()]
      .filter((entry) => entry.ruleId === ruleId && entry.id > afterId)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit)
  }

  /** Total number of entries. */
  get size(): number {
    return this.#entries.size
  }

  apply({ saved, removed }: CorrelationChanges): void {
    for (const id of removed) this.#entries.delete(id)
    for (const entry of saved) this.#entries.set(entry.id, entry)
  }
}

/** A store plus the changes of the current step, so that rules that refer to each other see them. */
export class Overlay {
  readonly #store: CorrelationStore
  /** `undefined`: removed, or known not to exist. */
  readonly #known = new Map<string, CorrelationEntry | undefined>()
  readonly #changed = new Set<string>()
  readonly #counts = new Map<string, number>()

  constructor(store: CorrelationStore) {
    this.#store = store
  }

  async load(ids: readonly string[]): Promise<void> {
    const missing = ids.filter((id) => !this.#known.has(id))
    if (missing.length === 0) return
    for (const id of missing) this.#known.set(id, undefined)
    for (const entry of await this.#store.load(missing)) this.#known.set(entry.id, entry)
  }

  async wake(nowMs: number, limit: number): Promise<readonly CorrelationEntry[]> {
    const entries = await this.#store.wake(nowMs, limit)
    for (const entry of entries) this.#known.set(entry.id, entry)
    return entries
  }

  async entriesOf(ruleId: string, afterId: string, limit: number): Promise<readonly CorrelationEntry[]> {
    const entries = await this.#store.entriesOf(ruleId, afterId, limit)
    for (const entry of entries) this.#known.set(entry.id, entry)
    return entries
  }

  /** An entry that was loaded. */
  get(id: string): CorrelationEntry | undefined {
    return this.#known.get(id)
  }

  /** Entries of a rule, including those created in this step. */
  async count(ruleId: string): Promise<number> {
    const known = this.#counts.get(ruleId)
    if (known !== undefined) return known
    const count = await this.#store.count(ruleId)
    this.#counts.set(ruleId, count)
    return count
  }

  save(entry: CorrelationEntry): void {
    const count = this.#counts.get(entry.ruleId)
    if (count !== undefined && !this.#known.get(entry.id)) this.#counts.set(entry.ruleId, count + 1)
    this.#known.set(entry.id, entry)
    this.#changed.add(entry.id)
  }

  remove(id: string): void {
    this.#known.set(id, undefined)
    this.#changed.add(id)
  }

  changes(): CorrelationChanges {
    const saved: CorrelationEntry[] = []
    const removed: string[] = []
    for (const id of this.#changed) {
      const entry = this.#known.get(id)
      if (entry) saved.push(entry)
      else removed.push(id)
    }
    return { saved, removed }
  }
}
