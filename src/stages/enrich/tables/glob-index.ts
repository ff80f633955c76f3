import { sharedInt32 } from './shared.ts'

/** The parts of an index of patterns. */
export interface GlobParts {
  readonly kind: 'globs'
  /** Distinct patterns, the most specific first. */
  readonly patterns: readonly string[]
  /** The row of each pattern. */
  readonly rows: Int32Array
}

const MAX_PATTERNS = 10_000
/** Patterns that begin and end with a wildcard are compared with every text: 200 of them take at most some 10 ms. */
const MAX_OPEN_PATTERNS = 200
const MAX_PATTERN = 1000
/** Longer texts match nothing. */
const MAX_TEXT = 4096
/** Characters by which patterns are found. */
const CUE = 3

/** Patterns in which `*` stands for any characters and `?` for one. The pattern with the most literal characters wins. */
export class GlobIndex {
  readonly parts: GlobParts
  readonly size: number
  /** Numbers of patterns by their first characters, by their last characters, and those with too few of either; ascending. */
  readonly #starts = new Map<string, number[]>()
  readonly #ends = new Map<string, number[]>()
  readonly #others: number[] = []

  constructor(parts: GlobParts) {
    this.parts = parts
    this.size = parts.patterns.length
    for (const [number, pattern] of parts.patterns.entries()) {
      const start = pattern.slice(0, CUE)
      if (isCue(start)) add(this.#starts, start, number)
      else if (isOpen(pattern)) this.#others.push(number)
      else add(this.#ends, pattern.slice(-CUE), number)
    }
  }

  find(text: string): number {
    return this.findWhere(text, always)
  }

  findWhere(text: string, accepts: (row: number) => boolean): number {
    if (text.length > MAX_TEXT) return -1
    let best = this.size
    best = this.#first(this.#starts.get(text.slice(0, CUE)), text, best, accepts)
    best = this.#first(this.#ends.get(text.slice(-CUE)), text, best, accepts)
    best = this.#first(this.#others, text, best, accepts)
    return best < this.size ? this.parts.rows[best]! : -1
  }

  /** The first accepted pattern that fits, if it comes before `best`. */
  #first(numbers: readonly number[] | undefined, text: string, best: number, accepts: (row: number) => boolean): number {
    for (const number of numbers ?? []) {
      if (number >= best) return best
      if (matches(this.parts.patterns[number]!, text) && accepts(this.parts.rows[number]!)) return number
    }
    return best
  }
}

export class GlobIndexBuilder {
  readonly #rows = new Map<string, number>()
  #open = 0

  /** False for patterns that are too long and for those beyond the limit. */
  add(key: string, row: number): boolean {
    const pattern = canonicalGlob(key)
    if (pattern === undefined || (!this.#rows.has(pattern) && this.#rows.size >= MAX_PATTERNS)) return false
    if (!this.#rows.has(pattern) && isOpen(pattern) && ++this.#open > MAX_OPEN_PATTERNS) return false
    this.#rows.set(pattern, row)
    return true
  }

  async build(): Promise<GlobIndex> {
    const sorted = [...this.#rows].sort(([a], [b]) => ownCharacters(b) - ownCharacters(a))
    const rows = sharedInt32(sorted.length)
    rows.set(sorted.map(([, row]) => row))
    return new GlobIndex({ kind: 'globs', patterns: sorted.map(([pattern]) => pattern), rows })
  }
}

/** A pattern without needless wildcards; `undefined` if it is too long. */
export function canonicalGlob(key: string): string | undefined {
  const pattern = key.replaceAll(/\*+/g, '*')
  return pattern.length > MAX_PATTERN ? undefined : pattern
}

const always = () => true

function ownCharacters(pattern: string): number {
  return pattern.replaceAll(/[*?]/g, '').length
}

/** Neither its first characters nor its last ones say which texts it may match. */
function isOpen(pattern: string): boolean {
  return !isCue(pattern.slice(0, CUE)) && !isCue(pattern.slice(-CUE))
}

function isCue(part: string): boolean {
  return part.length === CUE && !/[*?]/.test(part)
}

function add(map: Map<string, number[]>, key: string, number: number): void {
  const list = map.get(key)
  if (list) list.push(number)
  else map.set(key, [number])
}

/** Backtracks to the last `*` only, so it takes at most pattern length times text length steps. */
function matches(pattern: string, text: string): boolean {
  let at = 0
  let star = -1
  let mark = 0
  for (let i = 0; i < text.length; ) {
    const own = pattern[at]
    if (own === '*') {
      star = at++
      mark = i
    } else if (own === '?' || own === text[i]) {
      at++
      i++
    } else if (star >= 0) {
      at = star + 1
      i = ++mark
    } else return false
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}
