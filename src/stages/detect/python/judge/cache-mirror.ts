import type { LimitHit } from '../../../../model/limit.ts'
import type { CacheEntry, CacheWrite } from '../../../../model/match.ts'
import type { DetectBatch } from '../../language.ts'
import type { EvaluateAnswer } from '../sandbox/protocol.ts'

/** One request to fill a child's cache is about this long. */
const MAX_CHARS = 4 * 1024 * 1024

/** An entry as a child takes it: `null` when it has gone. */
export type CacheItem = readonly [key: string, entry: string | null]

/** What a crossing has changed in the cache of rules, and what rules lost of it. */
type CacheChanges = Pick<EvaluateAnswer, 'cacheWrites' | 'cacheEvictions'>

/** What one child knows of the cache of rules. */
export interface CacheReader {
  /** Everything, in lists for requests to a new child. */
  parts(): Generator<CacheItem[]>
  /** What other children have changed since this was last asked, or since `parts`. */
  missed(): CacheItem[]
  /** What a crossing of the batch under way has changed in this child. */
  add(changes: CacheChanges): void
}

/**
 * The cache of rules as it is in the children, for the day one has to be replaced. What the batch under way has changed is
 * kept apart until the batch has been judged: if it cannot be, none of it has happened.
 */
export class CacheMirror {
  readonly #settled = new Map<string, string>()
  readonly #open = new Map<string, string | undefined>()
  /** Entries that rules lost in the batch under way. */
  readonly #evicted = new Map<string, number>()
  /** For each child what others have changed meanwhile. */
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

  /** Takes over what another mirror has settled, which was read later than the entries that this one began with, in the order that it has. */
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

  /** What a crossing of the batch under way has changed. */
  add({ cacheWrites, cacheEvictions }: CacheChanges): void {
    for (const [key, entry] of cacheWrites) putLast(this.#open, key, entry ?? undefined)
    for (const [ruleId, n] of cacheEvictions) this.#evicted.set(ruleId, (this.#evicted.get(ruleId) ?? 0) + n)
  }

  /** The batch has been judged: hands on what it changed and what rules lost, if there is any. */
  settleFor({ onCacheWrites }: Pick<DetectBatch, 'onCacheWrites'>): void {
    const limits = [...this.#evicted].map(([ruleId, n]): LimitHit => ({ ruleId, what: 'cache', n }))
    const writes = this.settle()
    if (writes.length + limits.length > 0) onCacheWrites?.(writes, limits)
  }

  /** The batch has been judged: gives all that it changed. */
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

  /** The batch could not be judged. A child that lives knows more than it may now. */
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

/** What was written last comes last, also in a child that is filled later: rules lose first what they have left untouched for longest. */
function putLast<Value>(entries: Map<string, Value>, key: string, value: Value): void {
  entries.delete(key)
  entries.set(key, value)
}

/** The entries of `now` that a child which knows `before` has to write, in this order, to have those of `now` in their order. */
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

/** The last part of an entry's text, written by `_caracal/cache.py`. */
function expiryOf(entry: string): number | undefined {
  const { expires } = JSON.parse(entry) as { expires?: number }
  // Rules name points in time of any size, also long before the first.
  return expires === undefined ? undefined : Math.max(0, expires * 1000)
}
