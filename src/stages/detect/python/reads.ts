import type { Rule } from '../../../model/rule.ts'
import type { FieldPath, RuleReads } from '../../../model/rule-reads.ts'
import { type PythonToken, pythonTokens } from './tokens.ts'

/** Methods of the event that read a field: by one name, by the names of a path, by a name of the data model. */
const BY_NAME = new Set(['get'])
const BY_PATH = new Set(['deep_get', 'deep_walk'])
const BY_MODEL = new Set(['udm'])

/**
 * The fields that the text of a rule reads from a variable `event` under literal names: `event.get("a")`, `event["a"]["b"]`,
 * `event.deep_get("a", "b")`, `deep_get(event, "a", "b")`, `event.udm("a")`. What helpers read is not seen.
 */
export function pythonReads({ source }: Pick<Rule, 'source'>): RuleReads {
  const tokens = pythonTokens(source.code)
  const fields: FieldPath[] = []
  const unified: string[] = []
  for (let i = 0; i < tokens.length; i++) {
    if (isEvent(tokens, i)) readAfter(tokens, i + 1, fields, unified)
    else if (BY_PATH.has(nameAt(tokens, i)) && isMark(tokens, i + 1, '(') && isEvent(tokens, i + 2) && isMark(tokens, i + 3, ','))
      add(fields, stringsAt(tokens, i + 4))
  }
  return { fields, unified }
}

/** Reads what follows the event. */
function readAfter(tokens: readonly PythonToken[], at: number, fields: FieldPath[], unified: string[]): void {
  add(fields, subscriptsAt(tokens, at))
  if (!isMark(tokens, at, '.') || !isMark(tokens, at + 2, '(')) return
  const method = nameAt(tokens, at + 1)
  const names = stringsAt(tokens, at + 3)
  if (BY_NAME.has(method)) add(fields, names.slice(0, 1))
  else if (BY_PATH.has(method)) add(fields, names)
  else if (BY_MODEL.has(method) && names[0] !== undefined) unified.push(names[0])
}

function add(fields: FieldPath[], path: FieldPath): void {
  if (path.length > 0) fields.push(path)
}

/** Literals with commas between them, up to the first other argument. */
function stringsAt(tokens: readonly PythonToken[], at: number): string[] {
  const strings: string[] = []
  for (let i = at; tokens[i]?.kind === 'string'; i += 2) {
    // A literal that something follows (`"a" + name`) is only part of a name.
    if (!isMark(tokens, i + 1, ',') && !isMark(tokens, i + 1, ')')) break
    strings.push(tokens[i]!.text)
  }
  return strings
}

/** `["a"]["b"]`. */
function subscriptsAt(tokens: readonly PythonToken[], at: number): string[] {
  const names: string[] = []
  for (let i = at; isMark(tokens, i, '[') && tokens[i + 1]?.kind === 'string' && isMark(tokens, i + 2, ']'); i += 3) {
    // An assignment to the event.
    if (isMark(tokens, i + 3, '=') && !isMark(tokens, i + 4, '=')) return []
    names.push(tokens[i + 1]!.text)
  }
  return names
}

/** The variable, not an attribute or a keyword argument of that name. */
function isEvent(tokens: readonly PythonToken[], at: number): boolean {
  return nameAt(tokens, at) === 'event' && !isMark(tokens, at - 1, '.')
}

function nameAt(tokens: readonly PythonToken[], at: number): string {
  const token = tokens[at]
  return token?.kind === 'name' ? token.text : ''
}

function isMark(tokens: readonly PythonToken[], at: number, text: string): boolean {
  const token = tokens[at]
  return token?.kind === 'mark' && token.text === text
}
