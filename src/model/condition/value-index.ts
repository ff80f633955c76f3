import type { JsonValue } from '../json.ts'
import { contains, fold, hashKey } from './values.ts'
import type { Witness } from './witnesses.ts'

/** A set of rule numbers that is emptied in constant time. */
export class Found {
  readonly #marks: Uint32Array
  readonly #list: number[] = []
  #turn = 0
  #isSorted = true

  constructor(size: number) {
    this.#marks = new Uint32Array(size)
  }

  clear(): void {
    this.#list.length = 0
    this.#isSorted = true
    this.#turn++
    if (this.#turn === 0xffffffff) {
      this.#marks.fill(0)
      this.#turn = 1
    }
  }

  addAll(rules: readonly number[] | undefined): void {
    if (!rules) return
    for (const rule of rules) {
      if (this.#marks[rule] === this.#turn) continue
      this.#marks[rule] = this.#turn
      const last = this.#list.at(-1)
      if (last !== undefined && last > rule) this.#isSorted = false
      this.#list.push(rule)
    }
  }

  sorted(): readonly number[] {
    return this.#isSorted ? this.#list : this.#list.sort((a, b) => a - b)
  }
}

/** The value witnesses for one field, case-sensitive or not. */
export class ValueIndex {
  isEmpty = true
  readonly #equal = new Map<unknown, number[]>()
  readonly #prefixes = new AffixIndex('prefix')
  readonly #suffixes = new AffixIndex('suffix')
  readonly #parts = new PartIndex()
  readonly #elements = new Map<unknown, number[]>()
  readonly #ignoreCase: boolean

  constructor(ignoreCase: boolean) {
    this.#ignoreCase = ignoreCase
  }

  add(witness: Exclude<Witness, { kind: 'present' | 'beyondAscii' }>, rule: number): void {
    this.isEmpty = false
    const value = this.#ignoreCase ? fold(witness.value) : witness.value
    switch (witness.kind) {
      case 'equal':
        push(this.#equal, hashKey(value), rule)
        break
      case 'contains':
        if (typeof value === 'string') this.#parts.add(value, rule)
        push(this.#elements, hashKey(value), rule)
        break
      case 'prefix':
        this.#prefixes.add(value as string, rule)
        break
      case 'suffix':
        this.#suffixes.add(value as string, rule)
        break
    }
  }

  /** Adds the rules for which the value is a witness. A case-insensitive index expects texts in lower case. */
  look(value: JsonValue, found: Found): void {
    if (this.#equal.size > 0) {
      const key = hashKey(value)
      if (key !== undefined) found.addAll(this.#equal.get(key))
    }
    if (typeof value === 'string') {
      this.#prefixes.look(value, found)
      this.#suffixes.look(value, found)
      if (this.#elements.size > 0) this.#parts.look(value, found)
    } else if (typeof value === 'object' && this.#elements.size > 0) this.#lookInside(value, found)
  }

  #lookInside(value: JsonValue, found: Found): void {
    if (Array.isArray(value)) {
      for (const element of value as JsonValue[]) {
        const key = hashKey(this.#ignoreCase ? fold(element) : element)
        if (key !== undefined) found.addAll(this.#elements.get(key))
      }
      return
    }
    // Object keys, in any case: rare enough to try all.
    for (const [part, rules] of this.#elements) if (contains(value, part as JsonValue)) found.addAll(rules)
  }
}

const EDGES = 256

/** Prefixes or suffixes, by length: at most one look-up for each length that occurs. */
class AffixIndex {
  readonly #lengths: { readonly length: number; readonly edges: Uint8Array; readonly affixes: Map<string, number[]> }[] = []
  readonly #isPrefix: boolean

  constructor(kind: 'prefix' | 'suffix') {
    this.#isPrefix = kind === 'prefix'
  }

  add(affix: string, rule: number): void {
    const { length } = affix
    let known = this.#lengths.find((one) => one.length === length)
    if (!known) {
      known = { length, edges: new Uint8Array(EDGES), affixes: new Map() }
      this.#lengths.push(known)
    }
    known.edges[this.#edge(affix, length)] = 1
    push(known.affixes, affix, rule)
  }

  look(text: string, found: Found): void {
    for (const { length, edges, affixes } of this.#lengths) {
      if (length > text.length || edges[this.#edge(text, length)] === 0) continue
      found.addAll(affixes.get(this.#isPrefix ? text.slice(0, length) : text.slice(text.length - length)))
    }
  }

  /** The inner end of an affix of this length: most texts already differ from all affixes in that character. */
  #edge(text: string, length: number): number {
    return length === 0 ? 0 : text.charCodeAt(this.#isPrefix ? length - 1 : text.length - length) % EDGES
  }
}

const GRAM = 3
const BUCKETS = 4096

interface Part {
  readonly text: string
  /** Position in the text of the three characters under which it is filed. */
  readonly at: number
  readonly rules: number[]
}

/**
 * Substrings, each filed under one of its runs of three characters, so that a text is scanned once, however many substrings there
 * are. Shorter substrings are tried one by one.
 */
class PartIndex {
  readonly #short = new Map<string, number[]>()
  readonly #known = new Map<string, Part>()
  readonly #buckets = new Map<number, Part[]>()
  readonly #isUsed = new Uint8Array(BUCKETS)

  add(text: string, rule: number): void {
    if (text.length < GRAM) {
      push(this.#short, text, rule)
      return
    }
    const known = this.#known.get(text)
    if (known) {
      known.rules.push(rule)
      return
    }
    const part = { text, at: this.#emptiest(text), rules: [rule] }
    this.#known.set(text, part)
    const bucket = bucketOf(text, part.at)
    this.#isUsed[bucket] = 1
    this.#buckets.set(bucket, [...(this.#buckets.get(bucket) ?? []), part])
  }

  look(text: string, found: Found): void {
    for (const [part, rules] of this.#short) if (text.includes(part)) found.addAll(rules)
    if (this.#known.size === 0) return
    let first = text.charCodeAt(0)
    let second = text.charCodeAt(1)
    for (let at = 0; at <= text.length - GRAM; at++) {
      const third = text.charCodeAt(at + 2)
      const bucket = hash(first, second, third)
      if (this.#isUsed[bucket] === 1) this.#lookAt(text, at, this.#buckets.get(bucket)!, found)
      first = second
      second = third
    }
  }

  /** Compares in place; searching the text again would be quadratic in the length of a hostile text. */
  #lookAt(text: string, at: number, parts: readonly Part[], found: Found): void {
    for (const part of parts) if (at >= part.at && text.startsWith(part.text, at - part.at)) found.addAll(part.rules)
  }

  /** The position in the text whose bucket has the fewest substrings. */
  #emptiest(text: string): number {
    let best = 0
    let fewest = Number.POSITIVE_INFINITY
    for (let at = 0; at <= text.length - GRAM && fewest > 0; at++) {
      const size = this.#buckets.get(bucketOf(text, at))?.length ?? 0
      if (size < fewest) {
        best = at
        fewest = size
      }
    }
    return best
  }
}

function bucketOf(text: string, at: number): number {
  return hash(text.charCodeAt(at), text.charCodeAt(at + 1), text.charCodeAt(at + 2))
}

function hash(first: number, second: number, third: number): number {
  return (first * 961 + second * 31 + third) & (BUCKETS - 1)
}

function push<K>(map: Map<K, number[]>, key: K, rule: number): void {
  const rules = map.get(key)
  if (rules) rules.push(rule)
  else map.set(key, [rule])
}
