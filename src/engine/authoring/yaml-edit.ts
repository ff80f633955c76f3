import { isDeepStrictEqual } from 'node:util'
import { type Document, parseDocument } from 'yaml'
import { withOwnLines, written } from '../../config/edit.ts'
import { Refused } from '../../util/errors.ts'

/**
 * Changes a YAML text as a person would: comments and the order of keys stay, and so do lines before and after the change, however they are
 * written. Throws `Refused`, naming the file, if the text cannot be read.
 */
export function editYaml(text: string, name: string, change: (document: Document) => void): string {
  const document = parseDocument(text)
  const [error] = document.errors
  if (error) throw new Refused(`${name} cannot be read: ${error.message}`)
  const base = written(document, text)
  change(document)
  if (text !== '' && isDeepStrictEqual(parseDocument(text).toJS(), document.toJS())) return text
  const changed = written(document, text)
  const close = withOwnLines(text, base, changed)
  const check = parseDocument(close)
  return check.errors.length === 0 && isDeepStrictEqual(check.toJS(), document.toJS()) ? close : changed
}

/** Sets a key of a map, or removes it; what stays the same stays as it is written. */
export function setOrDelete(document: Document, key: string, value: unknown): void {
  if (value === undefined) document.delete(key)
  else if (JSON.stringify(document.toJS()?.[key]) !== JSON.stringify(value)) document.set(key, document.createNode(value))
}
