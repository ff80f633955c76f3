import { grokPatterns } from './grok-patterns.ts'

/** An expression without grok's patterns. */
export interface Expanded {
  readonly pattern: string
  /** Name of a group → the field that it is. */
  readonly fields: ReadonlyMap<string, string>
}

/** Limits of expansion: patterns use each other, and each use doubles what it names. */
const MAX_CHARS = 64 * 1024
const MAX_DEPTH = 20

/**
 * Replaces `%{NAME}` by the pattern of that name and `%{NAME:field}` by a group for that field. The result is an expression in RE2
 * syntax, or a sentence on what is wrong.
 */
export function expandGrok(source: string, own: Readonly<Record<string, string>>): Expanded | string {
  const fields = new Map<string, string>()
  let wrong: string | undefined
  let chars = 0

  const expand = (text: string, inside: readonly string[]): string =>
    text.replace(/%\{(\w+)(?::([^{}]*))?\}/g, (whole, name: string, field: string | undefined) => {
      if (wrong !== undefined) return ''
      const pattern = patternOf(name, own)
      if (pattern === undefined)
        wrong = `there is no pattern '${name}': define it in \`patternDefinitions\`, or use one of the list in docs/schemas.md`
      else if (inside.includes(name)) wrong = `the pattern '${name}' contains itself (${[...inside, name].join(' → ')})`
      else if (inside.length >= MAX_DEPTH) wrong = `patterns are nested more than ${MAX_DEPTH} deep at '${name}'`
      else if (field?.includes(':')) wrong = `'${whole}' has a type, but types are given by the fields of the schema: remove it`
      if (wrong !== undefined) return ''
      const inner = expand(pattern!, [...inside, name])
      chars += inner.length
      if (chars > MAX_CHARS) wrong = `the expression has more than ${MAX_CHARS} characters with all its patterns`
      if (field === undefined || field === '') return `(?:${inner})`
      const group = `grok_${fields.size}_`
      fields.set(group, field)
      return `(?P<${group}>${inner})`
    })

  const pattern = expand(source, [])
  return wrong ?? { pattern, fields }
}

function patternOf(name: string, own: Readonly<Record<string, string>>): string | undefined {
  if (Object.hasOwn(own, name)) return own[name]
  return Object.hasOwn(grokPatterns, name) ? grokPatterns[name] : undefined
}
