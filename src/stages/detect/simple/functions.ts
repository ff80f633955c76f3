import { compile } from '../../../model/condition/compile.ts'
import type { Field } from '../../../model/condition/condition.ts'
import { compileField } from '../../../model/condition/path.ts'
import type { JsonObject, JsonValue } from '../../../model/json.ts'
import type { Severity } from '../../../model/rule.ts'
import { stringifyJson } from '../../../util/json.ts'
import type { SimpleDetection } from './parse.ts'
import type { TitlePart } from './title.ts'

/**
 * A detection ready to run, as the equivalent of a Python rule's functions. Those not defined are `undefined`. None of them
 * throws.
 */
export interface SimpleFunctions {
  readonly rule: (event: JsonObject) => boolean
  readonly title: ((event: JsonObject) => string) | undefined
  /** '' if the event has none of the fields. */
  readonly dedup: ((event: JsonObject) => string) | undefined
  /** `undefined`: the severity in the rule's metadata. */
  readonly severity: ((event: JsonObject) => Severity | undefined) | undefined
  /** Exact JSON text of an object. */
  readonly context: ((event: JsonObject) => string) | undefined
}

export function compileFunctions({ condition, title, context, groupBy, severities }: SimpleDetection): SimpleFunctions {
  return {
    rule: compile(condition),
    title: title && compileTitle(title),
    dedup: groupBy.length > 0 ? compileDedup(groupBy) : undefined,
    severity: severities && compileSeverity(severities),
    context: context && compileContext(context),
  }
}

type Value = (event: JsonObject) => JsonValue | undefined

/** A field's value; a path that can have several values yields a list of them. */
function compileValue(field: Field): Value {
  const { one, visit } = compileField(field)
  if (one) return (event) => one(event, event)
  return (event) => {
    const values: JsonValue[] = []
    visit(event, event, (value) => {
      values.push(value)
      return false
    })
    return values.length > 0 ? values : undefined
  }
}

/** Texts unchanged, everything else as JSON. */
function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : stringifyJson(value)
}

/** A missing field is shown as `(no <path>)`, since a gap would look like part of the sentence. */
function compileTitle(parts: readonly TitlePart[]): (event: JsonObject) => string {
  const readers = parts.map((part) => {
    if (typeof part === 'string') return () => part
    const read = compileValue(part.field)
    return (event: JsonObject) => {
      const value = read(event)
      return value === undefined || value === null ? `(no ${part.name})` : textOf(value)
    }
  })
  return (event) => readers.map((read) => read(event)).join('')
}

/** The value of a single field, or a JSON list for several, so that no two combinations of values produce the same text. */
function compileDedup(fields: readonly Field[]): (event: JsonObject) => string {
  const readers = fields.map(compileValue)
  return (event) => {
    const values = readers.map((read) => read(event) ?? null)
    if (values.every((value) => value === null)) return ''
    return values.length === 1 ? textOf(values[0]!) : stringifyJson(values)
  }
}

function compileSeverity(severities: NonNullable<SimpleDetection['severities']>): (event: JsonObject) => Severity | undefined {
  const compiled = severities.map(({ severity, condition }) => ({ severity, holds: compile(condition) }))
  return (event) => compiled.find(({ holds }) => holds(event))?.severity
}

function compileContext(entries: NonNullable<SimpleDetection['context']>): (event: JsonObject) => string {
  // If two entries have the same name, the last one counts.
  const readers = [...new Map(entries.map(({ name, field }) => [name, compileValue(field)]))]
  return (event) => {
    const members = readers.map(([name, read]) => `${JSON.stringify(name)}:${stringifyJson(read(event) ?? null)}`)
    return `{${members.join(',')}}`
  }
}
