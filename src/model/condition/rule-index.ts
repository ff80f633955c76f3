import type { JsonObject, JsonValue } from '../json.ts'
import type { Condition, Field } from './condition.ts'
import type { Reader } from './path.ts'
import { type Readers, separateReaders } from './readers.ts'
import { Found, ValueIndex } from './value-index.ts'
import { fold, isBeyondAscii } from './values.ts'
import { costOf, type Witness, witnesses } from './witnesses.ts'

/** Finds the few rules that an event could match. */
export interface RuleIndex {
  /**
   * Ascending indexes of all conditions that could hold for the event; none that holds is missing. The list is reused by the next
   * call.
   */
  candidates(event: JsonObject): readonly number[]
}

/**
 * An index over the witnesses of conditions, by field: look-ups for equal values, prefixes and suffixes, a scan for substrings.
 * The owner of shared `readers` must announce each new event.
 */
export function createRuleIndex(conditions: readonly Condition[], readers: Readers = separateReaders): RuleIndex {
  const always: number[] = []
  const fields = new Map<string, FieldIndex>()
  const cost = costAmong(conditions)
  for (const [rule, condition] of conditions.entries()) {
    const list = witnesses(condition, cost)
    if (!list) always.push(rule)
    else for (const witness of list) fieldIndex(fields, witness.field, readers).add(witness, rule)
  }
  const indexes = [...fields.values()]
  const found = new Found(conditions.length)
  return {
    candidates(event) {
      found.clear()
      found.addAll(always)
      for (const index of indexes) index.look(event, found)
      return found.sorted()
    },
  }
}

/**
 * Values that many rules test are common in events (`eventSource` of a service with ten rules), and those that only one tests are
 * rare, so a witness costs as much as the number of rules that could choose it.
 */
function costAmong(conditions: readonly Condition[]): (witness: Witness) => number {
  const rules = new Map<string, number>()
  for (const condition of conditions) {
    const own = new Set<string>()
    witnesses(condition, (witness) => {
      own.add(JSON.stringify(witness, replaceBig))
      return costOf(witness)
    })
    for (const key of own) rules.set(key, (rules.get(key) ?? 0) + 1)
  }
  // Non-ASCII letters are rare however many rules test for them.
  return (witness) =>
    costOf(witness) * (witness.kind === 'beyondAscii' ? 1 : (rules.get(JSON.stringify(witness, replaceBig)) ?? 1))
}

function replaceBig(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}

function fieldIndex(fields: Map<string, FieldIndex>, field: Field, readers: Readers): FieldIndex {
  const key = JSON.stringify(field)
  let index = fields.get(key)
  if (!index) {
    index = new FieldIndex(readers.of(field))
    fields.set(key, index)
  }
  return index
}

/** The witnesses for one field. */
class FieldIndex {
  readonly #reader: Reader
  readonly #present: number[] = []
  readonly #beyondAscii: number[] = []
  readonly #plain = new ValueIndex(false)
  readonly #folded = new ValueIndex(true)

  constructor(reader: Reader) {
    this.#reader = reader
  }

  add(witness: Witness, rule: number): void {
    switch (witness.kind) {
      case 'present':
        this.#present.push(rule)
        break
      case 'beyondAscii':
        this.#beyondAscii.push(rule)
        break
      default:
        ;(witness.ignoreCase ? this.#folded : this.#plain).add(witness, rule)
    }
  }

  look(event: JsonObject, found: Found): void {
    const { one, visit } = this.#reader
    if (one) {
      const value = one(event, event)
      if (value !== undefined) this.#lookValue(value, found)
    } else
      visit(event, event, (value) => {
        this.#lookValue(value, found)
        return false
      })
  }

  #lookValue(value: JsonValue, found: Found): void {
    if (this.#present.length > 0) found.addAll(this.#present)
    if (this.#beyondAscii.length > 0 && isBeyondAscii(value)) found.addAll(this.#beyondAscii)
    if (!this.#plain.isEmpty) this.#plain.look(value, found)
    if (!this.#folded.isEmpty) this.#folded.look(fold(value), found)
  }
}
