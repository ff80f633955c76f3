import type { AlertWindow } from '../../model/alert.ts'
import { isObject, type JsonValue } from '../../model/json.ts'
import type { Rule } from '../../model/rule.ts'
import { MAX_COUNTED, type SummaryCounts } from '../../model/summary.ts'
import { stringifyJson } from '../../util/json.ts'
import type { Judged } from './step.ts'

/** Attributes counted for a rule; the body with the counts is stored with every change of the alert. */
const MAX_ATTRIBUTES = 20
/** Different values counted of a list in one event. */
const MAX_PER_EVENT = 100
const MAX_VALUE_CHARS = 200

/** Counts the values that a matched event has in the rule's summary attributes, each at most once. */
export function summarise({ body }: AlertWindow, { event, finding }: Judged, rule: Rule | undefined): void {
  if (!event || !rule || finding.kind !== 'match' || rule.summaryAttributes.length === 0) return
  body.summaries ??= []
  const counts = body.summaries
  for (const attribute of rule.summaryAttributes) {
    let one = counts.find((known) => known.attribute === attribute)
    if (!one) {
      if (counts.length >= MAX_ATTRIBUTES) continue
      one = { attribute, values: [] }
      counts.push(one)
    }
    for (const value of valuesOf(event, attribute)) count(one, value)
  }
}

function count({ values }: SummaryCounts, value: string): void {
  const known = values.find(([one]) => one === value)
  if (known) known[1]++
  else if (values.length < MAX_COUNTED) values.push([value, 1, 0])
  else {
    const rarest = values.reduce((least, one) => (one[1] < least[1] ? one : least))
    values[values.indexOf(rarest)] = [value, rarest[1] + 1, rarest[1]]
  }
}

/** The different values of a field (`a`), of a field of an object (`a:b`, as Panther writes it, or `a.b`), or of the elements of a list. */
function valuesOf(event: JsonValue, attribute: string): ReadonlySet<string> {
  const values = new Set<string>()
  for (const value of at(event, [attribute]) ?? at(event, attribute.split(/[:.]/)) ?? []) {
    if (values.size >= MAX_PER_EVENT) break
    values.add(shortText(value))
  }
  return values
}

/** The values at a path, through lists; `undefined` if there is nothing. */
function at(from: JsonValue, path: readonly string[]): JsonValue[] | undefined {
  let found: readonly JsonValue[] = [from]
  for (const step of path) {
    found = found.flatMap((value) => {
      const next = isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined
      return next === undefined ? [] : listed(next)
    })
  }
  const values = found.filter((value) => value !== null)
  return values.length > 0 ? values : undefined
}

function listed(value: JsonValue): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [value]
}

function shortText(value: JsonValue): string {
  const text = typeof value === 'string' ? value : stringifyJson(value)
  return text.length > MAX_VALUE_CHARS ? `${text.slice(0, MAX_VALUE_CHARS).toWellFormed()}…` : text
}
