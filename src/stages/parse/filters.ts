import { hash } from 'node:crypto'
import { RE2JS } from 're2js'
import { compile } from '../../model/condition/compile.ts'
import type { Condition, Field } from '../../model/condition/condition.ts'
import type { Event } from '../../model/event.ts'
import type { FieldTest, Filter, FilterTest, Sampling } from '../../model/filter.ts'

/** Decides which records of a source are left out, and names the filter that does. */
export interface Filters {
  /** The first filter that leaves out a record with this text. */
  ofText(text: string): string | undefined
  /** The first filter that leaves out this event. */
  ofEvent(event: Event): string | undefined
}

/** The name under which records are counted that a sample leaves out. */
export const SAMPLING = 'sampling'

/** Compiles the filters of a source, in their order; `undefined` if it has none. */
export function compileFilters(filters: readonly Filter[], sampling: Sampling | undefined): Filters | undefined {
  if (filters.length === 0 && !sampling) return undefined
  const isOfText = ({ exclude, include }: Filter) =>
    ((exclude ?? include)?.contains ?? (exclude ?? include)?.matches) !== undefined
  const texts = filters.filter(isOfText).map((filter) => ofFilter(filter, textTest))
  const events = filters.filter((filter) => !isOfText(filter)).map((filter) => ofFilter(filter, eventTest))
  const sampled = sampling && sampler(sampling)
  return {
    ofText: (text) => texts.find(({ drops }) => drops(text))?.name,
    ofEvent: (event) => events.find(({ drops }) => drops(event))?.name ?? (sampled?.(event) ? SAMPLING : undefined),
  }
}

type Test<T> = { readonly concerns: (one: T) => boolean; readonly fits: (one: T) => boolean }

function ofFilter<T>({ name, exclude, include }: Filter, compileTest: (test: FilterTest) => Test<T>) {
  const { concerns, fits } = compileTest((exclude ?? include)!)
  const drops = exclude ? (one: T) => concerns(one) && fits(one) : (one: T) => concerns(one) && !fits(one)
  return { name, drops }
}

function textTest({ contains = [], matches }: FilterTest): Test<string> {
  const program = matches === undefined ? undefined : RE2JS.compile(matches)
  return {
    concerns: () => true,
    fits: (text) => contains.some((part) => text.includes(part)) || (program?.test(text) ?? false),
  }
}

/** A filter with log types and nothing else is about the log types; with fields, it leaves events of other log types alone. */
function eventTest({ log_types, where }: FilterTest): Test<Event> {
  const isOfType = ofLogTypes(log_types)
  if (!where) return { concerns: () => true, fits: isOfType }
  return { concerns: isOfType, fits: compile({ op: 'and', of: where.flatMap(conditionsOf) }) }
}

function ofLogTypes(names: readonly string[] | undefined): (event: Event) => boolean {
  if (!names) return () => true
  const known = new Set(names.map((name) => name.toLowerCase()))
  return ({ p_log_type }) => known.has(p_log_type.toLowerCase())
}

function conditionsOf({ field: name, ...test }: FieldTest): Condition[] {
  const field: Field = { kind: 'path', segments: name.split('.') }
  const conditions: Condition[] = []
  if (test.in) conditions.push({ op: 'in', field, values: test.in })
  if (test.starts !== undefined) conditions.push({ op: 'compare', test: 'starts', field, value: test.starts })
  if (test.contains !== undefined) conditions.push({ op: 'compare', test: 'contains', field, value: test.contains })
  if (test.ends !== undefined) conditions.push({ op: 'compare', test: 'ends', field, value: test.ends })
  if (test.above !== undefined) conditions.push({ op: 'compare', test: 'greater', field, value: test.above })
  if (test.below !== undefined) conditions.push({ op: 'compare', test: 'less', field, value: test.below })
  if (test.networks) conditions.push({ op: 'network', field, networks: test.networks })
  if (test.exists !== undefined) {
    const has: Condition = { op: 'not', of: { op: 'null', field } }
    conditions.push(test.exists ? has : { op: 'not', of: has })
  }
  return conditions
}

/** The same record always has the same row id, so that a batch that is made again keeps the same records. */
function sampler({ keep, log_types }: Sampling): (event: Event) => boolean {
  const isOfType = ofLogTypes(log_types)
  const limit = keep * 2 ** 32
  return (event) => isOfType(event) && Number.parseInt(hash('sha1', event.p_row_id).slice(0, 8), 16) >= limit
}
