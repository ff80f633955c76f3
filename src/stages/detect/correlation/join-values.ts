import type { JsonValue } from '../../../model/json.ts'
import { sha256 } from '../../../util/hash.ts'
import type { JoinField, Member, Signal } from './rule.ts'

/** Maximum number of values of a list that is joined on; further ones are ignored, and that is reported. */
export const MAX_VALUES = 32
/** Limits the length of values, which are shown to people and stored in state. */
const MAX_CHARS = 500

export interface JoinValues {
  /** The values it could be joined on, for each of the rule's joins; `undefined`: any. */
  readonly values: readonly (readonly string[] | undefined)[]
  readonly isCut: boolean
}

/** What a signal can be joined on as a member; `undefined` if a field has no value that can be joined on. */
export function joinValues(signal: Signal, member: Member): JoinValues | undefined {
  let isCut = false
  const values: (readonly string[] | undefined)[] = []
  for (const fields of member.fields) {
    if (!fields) {
      values.push(undefined)
      continue
    }
    const shared = commonOf(fields.map((field) => valuesOf(signal, field)))
    if (shared.length === 0) return undefined
    if (shared.length > MAX_VALUES) isCut = true
    values.push(shared.slice(0, MAX_VALUES))
  }
  return { values, isCut }
}

function commonOf([first, ...others]: readonly ReadonlySet<string>[]): string[] {
  return [...first!].filter((value) => others.every((values) => values.has(value)))
}

/** Every combination of one value per join, at most `MAX_VALUES`. Only if all `values` are present. */
export function combinations({ values, isCut }: JoinValues): {
  readonly keys: readonly (readonly string[])[]
  readonly isCut: boolean
} {
  let keys: string[][] = [[]]
  let isOver = isCut
  for (const list of values) {
    const longer = keys.flatMap((key) => (list ?? []).map((value) => [...key, value]))
    isOver ||= longer.length > MAX_VALUES
    keys = longer.slice(0, MAX_VALUES)
  }
  return { keys, isCut: isOver }
}

/**
 * The distinct scalars of a field, or of the list in it, as text: `7`, `7.0` and `"7"` join, since ids are numbers in one log and
 * texts in another. Null, empty texts and objects are not values that two events can share.
 */
function valuesOf({ fields }: Signal, { reader }: JoinField): Set<string> {
  const found = new Set<string>()
  const add = (value: JsonValue) => {
    const text = textOf(value)
    if (text !== undefined) found.add(text)
    return found.size > MAX_LOOKED_AT
  }
  reader.visit(fields, fields, (value) => (Array.isArray(value) ? value.some((element: JsonValue) => add(element)) : add(value)))
  return found
}

/** Reads more values than are kept, because two lists are joined on their common values. */
const MAX_LOOKED_AT = 10_000

function textOf(value: JsonValue): string | undefined {
  if (value === null || typeof value === 'object' || value === '') return undefined
  const text = String(value).toWellFormed()
  return text.length <= MAX_CHARS ? text : `${text.slice(0, MAX_CHARS - 65)}…${sha256(Buffer.from(text))}`
}
