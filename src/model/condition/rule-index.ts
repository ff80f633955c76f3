import type { JsonObject, JsonValue } from '../json.ts'
import type { Condition, Field } from './condition.ts'
import { compileField, type Reader } from './path.ts'
import { Found, ValueIndex } from './value-index.ts'
import { fold } from './values.ts'
import { type Witness, witnesses } from './witnesses.ts'

/** Finds the few rules that an event may match. */
export interface RuleIndex {
  /**
   * Indexes into the list of conditions, ascending, of all conditions that may hold for the event; every one that does hold
   * is among them. The list is used again by the next call.
   */
  candidates(event: JsonObject): readonly number[]
}

/** An index over the witnesses of conditions, by field: look-ups of equal values, prefixes and suffixes, a scan for parts. */
export function createRuleIndex(conditions: readonly Condition[]): RuleIndex {
  const always: number[] = []
  const fields = new Map<string, FieldIndex>()
  for (const [rule, condition] of conditions.entries()) {
    const list = witnesses(condition)
    if (!list) always.push(rule)
    else for (const witness of list) fieldIndex(fields, witness.field).add(witness, rule)
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

function fieldIndex(fields: Map<string, FieldIndex>, field: Field): FieldIndex {
  const key = JSON.stringify(field)
  let index = fields.get(key)
  if (!index) {
    index = new FieldIndex(field)
    fields.set(key, index)
  }
  return index
}

/** The witnesses of one field. */
class FieldIndex {
  readonly #reader: Reader
  readonly #present: number[] = []
  readonly #plain = new ValueIndex(false)
  readonly #folded = new ValueIndex(true)

  constructor(field: Field) {
    this.#reader = compileField(field)
  }

  add(witness: Witness, rule: number): void {
    if (witness.kind === 'present') this.#present.push(rule)
    else (witness.ignoreCase ? this.#folded : this.#plain).add(witness, rule)
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
    if (!this.#plain.isEmpty) this.#plain.look(value, found)
    if (!this.#folded.isEmpty) this.#folded.look(fold(value), found)
  }
}
