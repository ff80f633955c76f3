import type { LimitHit } from '../../../../model/limit.ts'
import type { CacheEntry, CacheWrite } from '../../../../model/match.ts'
import type { DetectBatch } from '../../language.ts'
import type { EvaluateAnswer } from '../sandbox/protocol.ts'

/** Approximate length of one request to fill a child's cache. */
const MAX_CHARS = 4 * 1024 * 1024

/** An entry in the form for a child; `null` if it was removed. */
export type CacheItem = readonly [key: string, entry: string | null]

/** A crossing's changes to the rule cache, and the entries that rules lost. */
type CacheChanges = Pick<EvaluateAnswer, 'cacheWrites' | 'cacheEvictions'>

/** The rule cache as one child knows it. */
export interface CacheReader {
  /** Everything, in lists for requests to a new child. */
  parts(): Generator<CacheItem[]>
  /** Changes by other children since the last call, or since `parts`. */
  missed(): CacheItem[]
  /** Records the changes of a crossing of the batch under way in this child. */
  add(changes: CacheChanges): void
}

/**
 * A copy of the rule cache in the children, for when one has to be replaced. Changes by the batch under way are
 * separate until the batch has been judged, and are discarded if it cannot be.
 */
export class CacheMirror {
  readonly #settled = new Map<string, string>()
  readonly #open = new Map<string, string | undefined>()
  /** Entries that rules lost in the batch under way. */
  readonly #evicted = new Map<string, number>()
  /** For each child, the changes by others since its last update. */
  readonly #missed = new Set<Map<string, string | null>>()

  constructor(entries: readonly CacheEntry[]) {
    for (const { key, entry } of entries) this.#settled.set(key, entry)
  }

  /** The cache as one child sees it. */
  reader(): CacheReader {
    const missed = new Map<string, string | null>()
    this.#missed.add(missed)
    const all = () => this.parts()
    return {
      *parts() {
        missed.clear()
        yield* all()
      },
      missed: () => {
        const items = [...missed]
        missed.clear()
        return items
      },
      add: (changes) => {
        this.add(changes)
        for (const others of this.#missed)
          if (others !== missed) for (const [key, entry] of changes.cacheWrites) putLast(others, key, entry)
      },
    }
  }

  /** Takes over the committed entries of another mirror, which are newer than those that this one began with, in their order. */
  inherit(before: CacheMirror): void {
    const gone = [...this.#settled.keys()].filter((key) => !before.#settled.has(key))
    const written = writtenSince(this.#settled, before.#settled)
    for (const missed of this.#missed) {
      for (const key of gone) putLast(missed, key, null)
      for (const [key, entry] of written) putLast(missed, key, entry)
    }
    this.#settled.clear()
    for (const [key, entry] of before.#settled) this.#settled.set(key, entry)
  }

  /** Records the changes of a crossing of the batch under way. */
  add({ cacheWrites, cacheEvictions }: CacheChanges): void {
    for (const [key, entry] of cacheWrites) putLast(this.#open, key, entry ?? undefined)
    for (const [ruleId, n] of cacheEvictions) this.#evicted.set(ruleId, (this.#evicted.get(ruleId) ?? 0) + n)
  }

  /** The batch has been judged: commits and reports its changes and the lost entries, if there are any. */
  settleFor({ onCacheWrites }: Pick<DetectBatch, 'onCacheWrites'>): void {
    const limits = [...this.#evicted].map(([ruleId, n]): LimitHit => ({ ruleId, what: 'cache', n }))
    const writes = this.settle()
    if (writes.length + limits.length > 0) onCacheWrites?.(writes, limits)
  }

  /** The batch has been judged: commits and returns its changes. */
  settle(): CacheWrite[] {
    const writes: CacheWrite[] = []
    for (const [key, entry] of this.#open) {
      if (entry === undefined) {
        this.#settled.delete(key)
        writes.push({ key, entry })
      } else {
        putLast(this.#settled, key, entry)
        writes.push({ key, entry, expiresMs: expiryOf(entry) })
      }
    }
    this.#open.clear()
    this.#evicted.clear()
    return writes
  }

  /** The batch could not be judged. A living child now contains changes that it must not have. */
  forget(): void {
    this.#open.clear()
    this.#evicted.clear()
  }

  /** Everything, in lists for requests to a new child. */
  *parts(): Generator<CacheItem[]> {
    let part: CacheItem[] = []
    let chars = 0
    for (const [key, entry] of this.#all()) {
      part.push([key, entry])
      chars += key.length + entry.length
      if (chars < MAX_CHARS) continue
      yield part
      part = []
      chars = 0
    }
    if (part.length > 0) yield part
  }

  *#all(): Generator<readonly [string, string]> {
    for (const [key, entry] of this.#settled) if (!this.#open.has(key)) yield [key, entry]
    for (const [key, entry] of this.#open) if (entry !== undefined) yield [key, entry]
  }
}

/** The last written entries come last, also in a child that is filled later, because rules lose their least recently written entries first. */
function putLast<Value>(entries: Map<string, Value>, key: string, value: Value): void {
  entries.delete(key)
  entries.set(key, value)
}

/** The entries that a child with `before` has to write, in this order, to end up with those of `now` in their order. */
function writtenSince(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): (readonly [string, string])[] {
  const places = new Map([...before.keys()].map((key, place) => [key, place]))
  const entries = [...now]
  let last = -1
  const first = entries.findIndex(([key, entry]) => {
    const place = before.get(key) === entry ? places.get(key)! : -1
    const isInOrder = place > last
    last = place
    return !isInOrder
  })
  return first < 0 ? [] : entries.slice(first)
}

/** The end of an entry's text, written by `_caracal/cache.py`. */
function expiryOf(entry: string): number | undefined {
  const { expires } = JSON.parse(entry) as { expires?: number }
  // Rules may pass times of any size, even long before the epoch.
  return expires === undefined ? undefined : Math.max(0, expires * 1000)
}
