import { hash } from 'node:crypto'
import type { JsonObject, JsonValue } from '../../model/json.ts'
import { setOwn, stringifyJson } from '../../util/json.ts'
import type { SecretReference } from '../../util/secret.ts'
import type { FieldSpec } from './document.ts'
import { pathIn, valueAt, without } from './record-path.ts'

/** What a value is replaced by if the schema does not say. */
export const REDACTED = 'REDACTED'

/** Where a field's value comes from, and what hides it. Applied in the order of these keys, after `rename`. */
export interface TransformSpec {
  readonly copy?: { readonly from: string } | undefined
  readonly concat?: { readonly paths: readonly string[]; readonly separator: string } | undefined
  readonly split?: { readonly from: string; readonly separator: string; readonly index: number } | undefined
  readonly mask?: MaskSpec | undefined
}

export type MaskSpec =
  | { readonly type: 'redact'; readonly to: string }
  | { readonly type: 'obfuscate'; readonly salt: string | SecretReference }

/** Resolves a secret; throws `ConfigError` if it is missing. Absent where files are only checked and no record is read. */
export type ReadSecret = ((reference: SecretReference) => string) | undefined

type Transform = (record: JsonObject) => JsonObject

/** Whether the field is made of other values, so that a record has no key of its name. */
export function isDerived({ copy, concat, split }: TransformSpec): boolean {
  return (copy ?? concat ?? split) !== undefined
}

/**
 * The transformations of the fields of one object, or `undefined` if there are none. A path names a value of the record, by the
 * record's names or by those that `rename` gives. Returns a changed copy.
 */
export function compileTransform(fields: readonly FieldSpec[], secret: ReadSecret): Transform | undefined {
  const sources = new Map(fields.flatMap(({ name, from }) => (from === undefined ? [] : [[name, from] as const])))
  const steps = fields.flatMap((field) => compileField(field, sources, secret) ?? [])
  if (steps.length === 0) return undefined
  return (record) => steps.reduce((changed, step) => step(changed, record), { ...record })
}

type Step = (changed: JsonObject, record: JsonObject) => JsonObject

function compileField(field: FieldSpec, renamed: ReadonlyMap<string, string>, secret: ReadSecret): Step | undefined {
  const make = compileSource(field, renamed)
  const mask = field.mask && compileMask(field.mask, secret)
  if (!make && !mask) return undefined
  const { name, from = name } = field
  if (make) {
    return (changed, record) => {
      const value = make(record)
      if (value !== undefined) setOwn(changed, name, mask ? mask(value) : value)
      return changed
    }
  }
  // The value is hidden wherever the field could have been read from.
  return (changed) =>
    [...new Set([from, name])].reduce((object, key) => {
      const path = pathIn(object, key)
      const value = path && valueAt(object, path)
      if (!path || value === undefined || value === null) return object
      const rest = path.length > 1 ? without(object, path) : object
      setOwn(rest, key, mask!(value))
      return rest
    }, changed)
}

function compileSource(
  { copy, concat, split }: FieldSpec,
  renamed: ReadonlyMap<string, string>,
): ((record: JsonObject) => JsonValue | undefined) | undefined {
  const reader = (name: string) => {
    const other = renamed.get(name)
    return (record: JsonObject) => {
      const path = pathIn(record, name) ?? (other === undefined ? undefined : pathIn(record, other))
      return path && (valueAt(record, path) ?? undefined)
    }
  }
  if (copy) return reader(copy.from)
  if (concat) {
    const parts = concat.paths.map(reader)
    return (record) => {
      const texts = parts.flatMap((read) => {
        const value = read(record)
        return value === undefined ? [] : [textOf(value)]
      })
      return texts.length === 0 ? undefined : texts.join(concat.separator)
    }
  }
  if (!split) return undefined
  const read = reader(split.from)
  return (record) => {
    const value = read(record)
    return value === undefined ? undefined : partOf(textOf(value), split.separator, split.index)
  }
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : stringifyJson(value)
}

/** The part with this number, without taking the whole text apart. */
function partOf(text: string, separator: string, index: number): string | undefined {
  let at = 0
  for (let i = 0; i < index; i++) {
    const next = text.indexOf(separator, at)
    if (next < 0) return undefined
    at = next + separator.length
  }
  const end = text.indexOf(separator, at)
  return end < 0 ? text.slice(at) : text.slice(at, end)
}

/** An obfuscated value is the SHA-256 of the salt and the value after it, in hex: equal values stay equal. */
function compileMask(mask: MaskSpec, secret: ReadSecret): (value: JsonValue) => string {
  if (mask.type === 'redact') return () => mask.to
  const salt = typeof mask.salt === 'string' ? mask.salt : secret?.(mask.salt)
  if (salt === undefined) return () => REDACTED
  return (value) => hash('sha256', salt + textOf(value))
}
