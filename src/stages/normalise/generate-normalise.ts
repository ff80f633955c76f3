import { type Event, INDICATOR_FIELDS, type IndicatorField } from '../../model/event.ts'
import type { JsonObject, JsonValue } from '../../model/json.ts'
import type { Outcome } from '../../model/outcome.ts'
import type { RecordMeta } from '../../model/schema.ts'
import { setOwn } from '../../util/json.ts'
import type { FieldSpec, SchemaSpec, ValueSpec } from './document.ts'
import { extractors, type IndicatorName, Indicators } from './indicators.ts'
import type { ReadSecret } from './transformations.ts'
import { indicatorReader, Misfit, missingField, timeReader, toText, validator, valueReader } from './values.ts'

/** How a record's keys are mapped to fields. */
export interface Names {
  /** Key in the record → index of the field. */
  readonly slots: ReadonlyMap<string, number>
  /** Keys whose value contains fields if it is an object. */
  readonly prefixes: ReadonlySet<string>
  /** The record with those fields moved to the top level; the record itself if there are none. */
  readonly unfold: (raw: JsonObject) => JsonObject
  /** The event's name for a key that is not a field. */
  readonly nameOfUnknown: (key: string) => string
}

/** The generated code and what the row writer needs to know about it. */
interface Generated {
  readonly normalise: Normalise
  /** Keys of every event that has no unknown fields, in their order. */
  readonly keys: readonly string[]
  /** Indicators that events of this schema can have. */
  readonly filled: readonly IndicatorField[]
  /** Whether this is the last event that was made, and has no unknown fields. */
  readonly isComplete: (event: Event) => boolean
}

export type Normalise = (raw: JsonObject, meta: RecordMeta) => Outcome<Event>

/** How far an event's time may be ahead of its receipt. */
const MAX_AHEAD_MS = 5 * 60_000

/**
 * The function that makes events of one schema, generated: it reads the keys of a record once, converts in place what
 * has the right type already, and builds every event with the same hidden class (absent fields hold `undefined`), which
 * makes all later reads of events fast.
 *
 * Generating code is safe here: the only untrusted text in it are field names, the log type and the version, which are inserted
 * as JSON literals (a subset of JavaScript literals), never as code. Records are arguments of the function, not part of its text.
 * The schema reader refuses the field name `__proto__`.
 */
export function generateNormalise(spec: SchemaSpec, names: Names, secret: ReadSecret): Generated {
  const filled = INDICATOR_FIELDS.filter((field) =>
    indicatorsOf(spec.fields).some((name) => extractors[name].fills.includes(field as never)),
  )
  const members: readonly (readonly [name: string, value: string])[] = [
    ...spec.fields.map(({ name }, i) => [name, `f${i}`] as const),
    ['p_log_type', JSON.stringify(spec.name)],
    ['p_row_id', 'meta.rowId'],
    ['p_event_time', 'time'],
    ['p_parse_time', 'meta.parseTime'],
    ['p_source_id', 'meta.sourceId'],
    ['p_source_label', 'meta.sourceLabel'],
    ['p_schema_version', JSON.stringify(spec.version)],
    ['p_event_time_corrected', 'corrected'],
    ...filled.map((field) => [field, `into.${field}.list`] as const),
    ['p_enrichment', 'undefined'],
  ]
  const readers = spec.fields.map((field) => fieldTools(field, secret))
  const code = `'use strict'
return function normalise(raw, meta) {
  let ${spec.fields.map((_, i) => `v${i}`).join(', ')}, unknown
  let before = 0
  for (const key in raw) {
    const value = raw[key]
    let slot
    if (nextKey[before] === key) slot = nextSlot[before]
    else {
      slot = slots.get(key) ?? -1
      if (slot >= 0) {
        nextKey[before] = key
        nextSlot[before] = slot
      }
    }
    before = slot + 1
    switch (slot) {
${spec.fields.map((_, i) => `      case ${i}: if (v${i} === undefined || v${i} === null) v${i} = value; else if (value !== undefined) unknown = tools.keep(unknown, key, value); break`).join('\n')}
      default:
        if (typeof value === 'object' && value !== null && prefixes.has(key)) {
          const flat = tools.unfold(raw)
          if (flat !== raw) return normalise(flat, meta)
        }
        if (value !== undefined) unknown = tools.keep(unknown, key, value)
    }
  }
${filled.map((field) => `  into.${field}.clear()`).join('\n')}
${spec.fields.map(fieldCode).join('\n')}
  let time = ${[...spec.fields.flatMap((field, i) => eventTimes(field, `f${i}`)), 'meta.time'].join(' ?? ')}
  let corrected
  if (time === undefined) time = meta.parseTime
  else if (!tools.isBelievable(time, meta.receivedMs)) {
    corrected = true
    time = tools.receiveTime(meta.receivedMs)
  }
  const event = { ${members.map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(', ')} }
  if (unknown === undefined) tools.complete = event
  else tools.addUnknown(event, unknown)
  return { kind: 'ok', value: event }
}`
  const tools = {
    complete: undefined as Event | undefined,
    ...clock(),
    ...unknownTools(names),
    unfold: names.unfold,
    toText,
    missing: (name: string) => missingField(name, spec.name).outcome,
  }
  // Which key came behind each field last, and its field: records of one log mostly have the same keys in the same order.
  const nextKey = new Array<string | undefined>(spec.fields.length + 1).fill(undefined)
  const nextSlot = new Array<number>(spec.fields.length + 1).fill(-1)
  const make = new Function('slots', 'nextKey', 'nextSlot', 'prefixes', 'tools', 'readers', 'into', 'Misfit', code) as (
    ...args: unknown[]
  ) => Normalise
  const keys = Object.keys(Object.fromEntries(members))
  const normalise = make(names.slots, nextKey, nextSlot, names.prefixes, tools, readers, new Indicators(), Misfit)
  return { normalise, keys, filled, isComplete: (event) => event === tools.complete }
}

/** Expressions for the values of a field, and of those in an object, that may be the event's time. */
function eventTimes({ isEventTime, fields }: FieldSpec, value: string): string[] {
  return isEventTime ? [value] : fields.flatMap((field) => eventTimes(field, `${value}?.[${JSON.stringify(field.name)}]`))
}

function indicatorsOf(specs: readonly ValueSpec[]): IndicatorName[] {
  return specs.flatMap((s) => [
    ...(s.indicators as IndicatorName[]),
    ...indicatorsOf(s.fields),
    ...indicatorsOf(s.element ? [s.element] : []),
  ])
}

/** Functions that the generated code of a field can call. */
function fieldTools(field: FieldSpec, secret: ReadSecret) {
  return {
    read: field.type === 'timestamp' ? timeReader(field) : valueReader(field, secret),
    check: field.validate && validator(field.validate),
    indicators: indicatorReader(field.indicators),
  }
}

/** Tests whether a value already has the right form; everything else goes through the field's reader. */
const IN_PLACE: Readonly<Partial<Record<FieldSpec['type'], (v: string) => string>>> = {
  string: (v) => `typeof ${v} === 'string'`,
  boolean: (v) => `typeof ${v} === 'boolean'`,
  float: (v) => `typeof ${v} === 'number' && ${v} - ${v} === 0`,
  int: (v) => `typeof ${v} === 'number' && ${v} === (${v} | 0)`,
  smallint: (v) => `typeof ${v} === 'number' && ${v} === ((${v} << 16) >> 16)`,
  bigint: (v) => `Number.isSafeInteger(${v})`,
  ubigint: (v) => `Number.isSafeInteger(${v}) && ${v} >= 0`,
}

function fieldCode(field: FieldSpec, i: number): string {
  const v = `v${i}`
  const name = JSON.stringify(field.name)
  const inPlace = IN_PLACE[field.type]?.(v) ?? 'false'
  const reader = field.type === 'string' ? 'tools.toText' : `readers[${i}].read`
  const lines = [
    `  let f${i}`,
    `  if (${inPlace}) f${i} = ${v}`,
    `  else if (${v} !== undefined && ${v} !== null) {`,
    `    f${i} = ${reader}(${v}, ${name}, into, meta.receivedMs)`,
    `    if (f${i} instanceof Misfit) return f${i}.outcome`,
    '  }',
  ]
  if (field.required) lines.push(`  else return tools.missing(${name})`)
  if (field.required && field.isEmbedded) lines.push(`  if (f${i} === undefined) return tools.missing(${name})`)
  if (field.validate) {
    lines.push(
      `  if (f${i} !== undefined) { const misfit = readers[${i}].check(f${i}, ${name}); if (misfit !== undefined) return misfit.outcome }`,
    )
  }
  if (field.indicators.length > 0) lines.push(`  if (f${i} !== undefined) readers[${i}].indicators(f${i}, into)`)
  return lines.join('\n')
}

/** Decides whether an event's own time is trusted, and returns the time that replaces it if not. */
function clock() {
  let forMs = Number.NaN
  let latest = ''
  const believableUntil = (receivedMs: number) => {
    if (receivedMs !== forMs) {
      forMs = receivedMs
      latest = new Date(receivedMs + MAX_AHEAD_MS).toISOString().slice(0, 23)
    }
    return latest
  }
  return {
    // Times are compared as text: 1970 to five minutes after receipt. The `Z` only matters within that last second.
    isBelievable(time: string, receivedMs: number): boolean {
      const until = believableUntil(receivedMs)
      // All years from 2000 on begin with a 2.
      return (time < until || time.slice(0, -1) <= until) && (time.charCodeAt(0) >= 0x32 || time >= '1970')
    },
    receiveTime: (receivedMs: number) => new Date(receivedMs).toISOString().replace(/\.?0+Z$/, 'Z'),
  }
}

type Unknown = [key: string, value: JsonValue][]

/**
 * Fields that are not in the schema stay on the event. Records cannot set standard columns (such a field gets an underscore
 * before its name), and a name that is already taken by another spelling gets `_2`, `_3` … appended.
 */
function unknownTools({ nameOfUnknown }: Names) {
  return {
    keep(list: Unknown | undefined, key: string, value: JsonValue): Unknown {
      const name = nameOfUnknown(key)
      const entry: Unknown[number] = [/^p_|^extra$/.test(name) ? `_${name}` : name, value]
      if (!list) return [entry]
      list.push(entry)
      return list
    },
    addUnknown(event: Event, list: Unknown): void {
      const times = new Map<string, number>()
      for (const [wanted, value] of list) {
        let name = wanted
        for (let n = times.get(wanted) ?? 2; Object.hasOwn(event, name); n++) {
          name = `${wanted}_${n}`
          times.set(wanted, n + 1)
        }
        setOwn(event, name, value)
      }
    },
  }
}
