import type { JsonObject, JsonValue } from '../../../model/json.ts'
import { hash16 } from '../../../util/hash.ts'
import { setOwn } from '../../../util/json.ts'
import type { CorrelationRule } from './rule.ts'
import type { Found } from './walk.ts'

/** Maximum number of signals that a match lists; all are counted. */
export const MAX_NAMED = 100

/** A match of a correlation rule, which is itself a signal for rules that refer to this one. */
export interface CorrelationMatch {
  readonly ruleId: string
  /** The same signals always produce the same id. */
  readonly rowId: string
  /** When the signal that completed it happened. */
  readonly timeMs: number
  /** When the first of its signals happened. */
  readonly firstMs: number
  /** What the signals were joined on: name → value, in the rule's order. */
  readonly joined: readonly { readonly name: string; readonly value: string }[]
  /** How many signals each member contributed. */
  readonly counts: readonly { readonly memberId: string; readonly ruleId: string; readonly count: number }[]
  /** The latest signals, at most `MAX_NAMED`, ordered by time. */
  readonly signals: readonly {
    readonly memberId: string
    readonly ruleId: string
    readonly rowId: string
    readonly timeMs: number
  }[]
  /** For a match reported by a scheduled run: the time until which signals that spoil it could still arrive. */
  readonly openUntilMs: number | undefined
  /** True if signals had been dropped because there were too many, so the match may be wrong. */
  readonly isCut: boolean
  /** The joined values under every field that they were joined on (`p_alert_context.user` …): rules that refer to this one see these. */
  readonly fields: JsonObject
}

export function toMatch(
  rule: CorrelationRule,
  key: readonly string[],
  { last, hits, openUntilMs }: Found,
  isCut: boolean,
): CorrelationMatch {
  return {
    ruleId: rule.id,
    rowId: hash16(rule.id, ...key, last.rowId, String(last.member)) + hash16(last.rowId, rule.id, ...key),
    timeMs: last.timeMs,
    firstMs: hits[0]!.timeMs,
    joined: rule.joins.map((name, at) => ({ name, value: key[at]! })),
    counts: rule.members.flatMap((member, at) =>
      member.isAbsent
        ? []
        : [{ memberId: member.id, ruleId: member.ruleId, count: hits.reduce((n, hit) => n + (hit.member === at ? 1 : 0), 0) }],
    ),
    signals: hits.slice(-MAX_NAMED).map(({ member: at, rowId, timeMs }) => {
      const { id: memberId, ruleId } = rule.members[at]!
      return { memberId, ruleId, rowId, timeMs }
    }),
    openUntilMs,
    isCut,
    fields: fieldsOf(rule, key),
  }
}

/** What rules that refer to this one see for a match with these joined values. */
export function fieldsOf(rule: CorrelationRule, key: readonly (string | undefined)[]): JsonObject {
  const fields: JsonObject = {}
  for (const member of rule.members) {
    for (const [at, list] of member.fields.entries()) {
      const value = key[at]
      if (value !== undefined) for (const { path } of list ?? []) setPath(fields, path, value)
    }
  }
  return fields
}

/** Sets `a.b.c`; if part of the path is already a value, it is left unchanged. */
export function setPath(object: JsonObject, path: string, value: JsonValue): void {
  const names = path.split('.').map((name) => name.replace(/\[.*$/, ''))
  let inner: JsonObject = object
  for (const name of names.slice(0, -1)) {
    const next = Object.hasOwn(inner, name) ? inner[name] : {}
    if (typeof next !== 'object' || next === null || Array.isArray(next)) return
    setOwn(inner, name, next as JsonObject)
    inner = next as JsonObject
  }
  const last = names.at(-1)!
  if (!Object.hasOwn(inner, last)) setOwn(inner, last, value)
}
