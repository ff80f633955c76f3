import type { z } from 'zod'
import type { ConfigError } from '../util/errors.ts'
import type { Problem } from './content.ts'
import { issueText, wordsOf } from './issue-text.ts'
import type { YamlFile } from './yaml-file.ts'

/** Zod's issues with a YAML file as problems: one for each key, with its line and what to do. */
export function problemsOf(
  file: string,
  yaml: Pick<YamlFile, 'value' | 'line'>,
  schema: z.ZodObject,
  issues: readonly z.core.$ZodIssue[],
): Problem[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return extraKeys(schema, [issue], yaml.value).map(({ key, name, advice }) => {
        return { file, line: yaml.line(issue.path, key), message: `unknown key '${name}': ${advice}` }
      })
    }
    const value = valueAt(yaml.value, issue.path)
    const where = issue.path.length > 0 ? `${namedPath(yaml.value, issue.path)}: ` : ''
    const what =
      value === undefined
        ? 'is missing: add it'
        : issue.code === 'custom'
          ? issue.message
          : `${issueText(issue)} (is ${shown(value)})${typeof value === 'string' ? suggestion(value, wordsOf(issue)) : ''}`
    return [{ file, line: yaml.line(issue.path), message: `${where}${what}` }]
  })
}

/** The keys that a schema does not know, by their place in the document, and what to do about each. */
export function extraKeys(
  schema: z.ZodObject,
  issues: readonly z.core.$ZodIssue[],
  document: unknown,
): { readonly key: string; readonly name: string; readonly advice: string }[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return []
    return issue.keys.map((key) => {
      const known = keysAt(schema, issue.path, document).filter((one) => one !== key)
      const near = nearest(key, known)
      return { key, name: [...issue.path, key].join('.'), advice: near ? `did you mean '${near}'?` : 'remove it' }
    })
  })
}

/** The keys that a schema knows at a place of a document. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[], value: unknown): string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod
  const [step, ...rest] = path
  const inner = (value as Record<PropertyKey, unknown> | undefined)?.[step!]
  switch (def.type) {
    case 'object':
      if (step === undefined) return Object.keys(def.shape)
      return Object.hasOwn(def.shape, step) ? keysAt(def.shape[step as string]!, rest, inner) : []
    case 'array':
      return step === undefined ? [] : keysAt(def.element, rest, inner)
    case 'record':
      return step === undefined ? [] : keysAt(def.valueType, rest, inner)
    case 'union':
      return def.options.filter((option) => isKind(option, def, value)).flatMap((option) => keysAt(option, path, value))
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
      return keysAt(def.innerType, path, value)
    case 'pipe':
      return keysAt(def.in, path, value)
    default:
      return []
  }
}

/** False for an option of a tagged union that has another tag than the value. */
function isKind(option: z.core.$ZodType, union: z.core.$ZodUnionDef, value: unknown): boolean {
  const { discriminator: tag } = union as Partial<z.core.$ZodDiscriminatedUnionDef>
  if (tag === undefined) return true
  const { shape } = (option as z.core.$ZodObject)._zod.def
  return shape[tag]?._zod.values?.has((value as Record<string, z.core.util.Primitive>)[tag]) === true
}

/** A copy of a document without the keys that a schema does not know. */
export function withoutExtraKeys(document: unknown, issues: readonly z.core.$ZodIssue[]): unknown {
  return issues.reduce(
    (value, issue) => (issue.code === 'unrecognized_keys' ? without(value, issue.path, issue.keys) : value),
    document,
  )
}

function without(value: unknown, [step, ...rest]: readonly PropertyKey[], keys: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item, at) => (at === step ? without(item, rest, keys) : item))
  const entries = Object.entries(value as object)
  const kept = step === undefined ? entries.filter(([key]) => !keys.includes(key)) : entries
  return Object.fromEntries(kept.map(([key, item]) => [key, key === step ? without(item, rest, keys) : item]))
}

/** A stage's error about a document as a problem with its line. The place is in the problem's fields, not in its text. */
export function problemOf(
  file: string,
  yaml: Pick<YamlFile, 'line' | 'value'>,
  { message, path, file: named }: ConfigError,
): Problem {
  const place = `${[named, path].filter(Boolean).join(' at ')}: `
  const text = message.startsWith(place) ? message.slice(place.length) : message
  return {
    file,
    line: yaml.line(path ? path.split('.') : []),
    message: path ? `${namedPath(yaml.value, path.split('.'))}: ${text}` : text,
  }
}

/** A path in which the fields of a schema have their names, `fields.user.type`, not their places, `fields.1.type`. */
function namedPath(root: unknown, path: readonly PropertyKey[]): string {
  const steps = path.map((step, index) => {
    const name = path[index - 1] === 'fields' && valueAt(root, [...path.slice(0, index + 1), 'name'])
    return typeof name === 'string' && name !== '' ? name : String(step)
  })
  return steps.join('.')
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
}

function shown(value: unknown): string {
  const text =
    JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** The known key that a typo most likely meant: at most two edits away, ignoring case. */
export function nearest(key: string, known: readonly string[]): string | undefined {
  if (key.length > 60) return undefined
  const ranked = known
    .map((name) => ({ name, edits: edits(key.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits)
  return ranked[0] && ranked[0].edits <= 2 ? ranked[0].name : undefined
}

/** A question that ends a message about an unknown name, or an empty text if no known name is close. */
export function suggestion(name: string, known: Iterable<string>): string {
  const near = nearest(name, [...known])
  return near === undefined ? '' : `: did you mean '${near}'?`
}

/** Levenshtein distance, in which swapping two neighbouring letters is one edit. */
function edits(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const least = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      next.push(isSwap ? Math.min(least, before[j - 2]! + 1) : least)
    }
    before = row
    row = next
  }
  return row[b.length]!
}
