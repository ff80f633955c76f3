import { isDeepStrictEqual } from 'node:util'
import type { FieldSpec, SchemaSpec, ValueSpec } from '../stages/normalise/document.ts'

/** What differs between two versions of a schema, one line each; `+` is new, `-` is gone, `~` is different. */
export function schemaDiff(before: SchemaSpec, after: SchemaSpec): string[] {
  const lines: string[] = []
  if (before.name !== after.name)
    lines.push(`~ schema: ${before.name} → ${after.name}: another log type, with a table of its own`)
  if (before.version !== after.version) lines.push(`~ version: ${before.version} → ${after.version}`)
  if (!isDeepStrictEqual(before.parser, after.parser) || before.native !== after.native) lines.push('~ parser')
  if (before.mayGuess !== after.mayGuess) lines.push(`~ guess: ${before.mayGuess} → ${after.mayGuess}`)
  const old = fieldsByPath(before.fields)
  const now = fieldsByPath(after.fields)
  for (const [path, field] of now) {
    const was = old.get(path)
    if (!was) lines.push(`+ ${path}: ${typeName(field)}${renamedFrom(field, old, now)}`)
    else lines.push(...changes(path, was, field))
  }
  for (const [path, field] of old) if (!now.has(path)) lines.push(`- ${path}: ${typeName(field)}${isTop(path) ? KEPT : ''}`)
  return lines
}

const KEPT = ': the column and its old values stay'

function isTop(path: string): boolean {
  return !path.includes('/')
}

/** Paths are joined by slashes, as names may contain dots. */
function fieldsByPath(fields: readonly FieldSpec[], prefix = ''): Map<string, FieldSpec> {
  const found = new Map<string, FieldSpec>()
  for (const field of fields) {
    found.set(prefix + field.name, field)
    for (const [path, inner] of fieldsByPath(innerFields(field), `${prefix}${field.name}/`)) found.set(path, inner)
  }
  return found
}

function innerFields(value: ValueSpec): readonly FieldSpec[] {
  return value.element ? innerFields(value.element) : value.fields
}

function typeName(value: ValueSpec): string {
  return value.element ? `array of ${typeName(value.element)}` : value.type
}

/** A new field that reads what a field before it was called. */
function renamedFrom(field: FieldSpec, old: ReadonlyMap<string, FieldSpec>, now: ReadonlyMap<string, FieldSpec>): string {
  const { from } = field
  return from !== undefined && old.has(from) && !now.has(from)
    ? `, renamed from ${from}: old values stay in the column ${from}`
    : ''
}

const KEYS = [
  'required',
  'isEventTime',
  'from',
  'timeFormats',
  'timeZone',
  'indicators',
  'validate',
  'marker',
  'isEmbedded',
] as const
const TRANSFORMS = ['copy', 'concat', 'split', 'mask'] as const

function changes(path: string, before: FieldSpec, after: FieldSpec): string[] {
  const lines: string[] = []
  const [was, is] = [typeName(before), typeName(after)]
  if (was !== is) {
    const stored = isTop(path) && columnType(before) !== columnType(after)
    lines.push(`~ ${path}: ${was} → ${is}${stored ? retyped(path, before, after) : ''}`)
  }
  for (const key of [...KEYS, ...TRANSFORMS]) {
    if (!isDeepStrictEqual(before[key], after[key])) lines.push(`~ ${path}: ${key} ${shown(before[key])} → ${shown(after[key])}`)
  }
  return lines
}

/** Lists and objects are stored as JSON. */
function columnType({ type }: ValueSpec): string {
  return type === 'array' || type === 'object' ? 'json' : type
}

const WIDER = ['smallint int', 'smallint bigint', 'int bigint']

function retyped(path: string, before: ValueSpec, after: ValueSpec): string {
  return WIDER.includes(`${before.type} ${after.type}`)
    ? ': the column becomes wider'
    : `: old values are read as ${after.type} where that is possible, and stay as they were in p_was_…_${path}`
}

function shown(value: unknown): string {
  return value === undefined || (Array.isArray(value) && value.length === 0) ? 'none' : JSON.stringify(value)
}
