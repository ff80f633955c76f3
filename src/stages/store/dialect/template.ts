/**
 * The part of Jinja that saved queries use (https://docs.panther.com/search/scheduled-searches/templated-searches): `{% import 'name'
 * macro %}`, `{% set x = 'text' %}`, `{% macro f(a, b) export %}…{% endmacro %}`, `{{ x }}` and `{{ f('a', 1) }}`. No expressions, loops
 * or conditions.
 */

export type Expansion =
  | { readonly kind: 'ok'; readonly sql: string }
  | { readonly kind: 'unsupported'; readonly what: readonly string[] }

/** The text of a saved query by name. */
export type Library = (name: string) => string | undefined

interface Macro {
  readonly parameters: readonly string[]
  readonly body: string
}

interface Names {
  readonly values: ReadonlyMap<string, string>
  readonly macros: ReadonlyMap<string, Macro>
}

/** Limits on the size of an expanded template and on the depth of macro calls. */
const MAX_CHARS = 256 * 1024
const MAX_DEPTH = 8

const TAG = /\{\{([^{}]{0,2000})\}\}|\{%([^{}]{0,2000})%\}|\{#[\s\S]{0,20000}?#\}/g

class TemplateProblem extends Error {}

/** Whether the text requests expansion. */
export function isTemplate(sql: string): boolean {
  return sql.includes('{%') || sql.includes('{{')
}

/** Expands a templated query; text without tags is returned unchanged. */
export function expandTemplate(sql: string, library: Library): Expansion {
  if (!isTemplate(sql)) return { kind: 'ok', sql }
  try {
    const { text, names } = readDefinitions(sql, library, 0)
    const expanded = fill(text, names, 0)
    if (expanded.trim() === '') return { kind: 'unsupported', what: ['the query holds macros only: other queries import it'] }
    return { kind: 'ok', sql: expanded }
  } catch (error) {
    if (!(error instanceof TemplateProblem)) throw error
    return { kind: 'unsupported', what: [error.message] }
  }
}

/** Extracts macros, imports and variables from the text. */
function readDefinitions(sql: string, library: Library, depth: number): { text: string; names: Names } {
  if (depth > MAX_DEPTH) throw new TemplateProblem(`templates that import each other more than ${MAX_DEPTH} deep`)
  const values = new Map<string, string>()
  const macros = new Map<string, Macro>()
  let text = ''
  let at = 0
  for (const match of sql.matchAll(TAG)) {
    if (match.index < at) continue
    const tag = match[2]?.trim()
    text += sql.slice(at, match.index)
    at = match.index + match[0].length
    if (tag === undefined) text += match[1] === undefined ? '' : match[0]
    else if (tag.startsWith('macro')) at = readMacro(sql, tag, at, macros)
    else if (tag.startsWith('import')) readImport(tag, library, depth, macros)
    else readSet(tag, values)
  }
  return { text: text + sql.slice(at), names: { values, macros } }
}

function readMacro(sql: string, tag: string, from: number, macros: Map<string, Macro>): number {
  const [, name, parameters] = /^macro\s+(\w+)\s*\(([\w\s,]*)\)(?:\s+export)?$/.exec(tag) ?? []
  const end = /\{%-?\s*endmacro\s*-?%\}/g
  end.lastIndex = from
  const close = end.exec(sql)
  if (name === undefined || parameters === undefined) throw new TemplateProblem(`the template tag {% ${tag} %}`)
  if (!close) throw new TemplateProblem(`the macro ${name}, which has no endmacro`)
  const names = parameters.split(',').map((each) => each.trim())
  macros.set(name, { parameters: names.filter(Boolean), body: sql.slice(from, close.index) })
  return close.index + close[0].length
}

function readImport(tag: string, library: Library, depth: number, macros: Map<string, Macro>): void {
  const [, name, wanted] = /^import\s+'([^']+)'\s+([\w\s,]+)$/.exec(tag) ?? []
  if (name === undefined || wanted === undefined) throw new TemplateProblem(`the template tag {% ${tag} %}`)
  const text = library(name)
  if (text === undefined) throw new TemplateProblem(`the import of '${name}': there is no saved query of that name`)
  const imported = readDefinitions(text, library, depth + 1).names.macros
  for (const each of wanted.split(/[\s,]+/).filter(Boolean)) {
    const macro = imported.get(each)
    if (!macro) throw new TemplateProblem(`the import of ${each}: the query '${name}' has no such macro`)
    macros.set(each, macro)
  }
}

function readSet(tag: string, values: Map<string, string>): void {
  const [, name, quoted, bare] = /^set\s+(\w+)\s*=\s*(?:'([^']*)'|(-?[\d.]+))$/.exec(tag) ?? []
  if (name === undefined) throw new TemplateProblem(`the template tag {% ${tag} %}`)
  values.set(name, quoted ?? bare ?? '')
}

function fill(text: string, names: Names, depth: number): string {
  if (depth > MAX_DEPTH) throw new TemplateProblem(`macros that call each other more than ${MAX_DEPTH} deep`)
  let out = ''
  let at = 0
  for (const match of text.matchAll(TAG)) {
    out += text.slice(at, match.index)
    at = match.index + match[0].length
    if (match[1] === undefined) throw new TemplateProblem(`the template tag ${match[0].slice(0, 100)}`)
    out += fillOne(match[1].trim(), names, depth)
    if (out.length > MAX_CHARS) throw new TemplateProblem(`a template of more than ${MAX_CHARS} characters`)
  }
  return out + text.slice(at)
}

function fillOne(expression: string, names: Names, depth: number): string {
  const [, name, args] = /^(\w+)\s*(?:\(([^()]*)\))?$/.exec(expression) ?? []
  if (name === undefined) throw new TemplateProblem(`the template expression {{ ${expression} }}`)
  if (args === undefined) {
    const value = names.values.get(name)
    if (value === undefined) throw new TemplateProblem(`the template variable ${name}, which is not set`)
    return value
  }
  const macro = names.macros.get(name)
  if (!macro) throw new TemplateProblem(`the macro ${name}, which is neither imported nor defined`)
  const given = readArguments(args)
  if (given.length !== macro.parameters.length) {
    throw new TemplateProblem(`the macro ${name} with ${given.length} arguments: it takes ${macro.parameters.length}`)
  }
  const values = new Map(macro.parameters.map((parameter, i): [string, string] => [parameter, given[i]!]))
  return fill(macro.body, { values, macros: names.macros }, depth + 1)
}

function readArguments(text: string): string[] {
  if (text.trim() === '') return []
  return text.split(',').map((argument) => {
    const [, quoted, bare] = /^\s*(?:'([^']*)'|(-?[\w.]+))\s*$/.exec(argument) ?? []
    const value = quoted ?? bare
    if (value === undefined) throw new TemplateProblem(`the macro argument ${argument.trim()}`)
    return value
  })
}
