import type { JsonValue } from '../../../model/json.ts'
import { Refused } from '../../../util/errors.ts'
import { hash16 } from '../../../util/hash.ts'
import { parseJson } from '../../../util/json.ts'
import { memberValue, skipSpace, splitJsonArray } from '../../../util/json-spans.ts'
import { textAt, valueAt } from './json-path.ts'
import { eventTexts } from './shape.ts'
import { type JsonPath, namesIn, type RecordsSpec } from './spec.ts'

/** Deeper answers are refused. */
const MAX_DEPTH = 500

/** A record of an answer. */
export interface PolledRecord {
  /** 16 hex digits: a hash of what identifies it. */
  readonly id: string
  /** Its events, as texts. */
  readonly texts: readonly string[]
}

/** An answer in JSON, with its text: records are passed on as they were written. */
export interface Answer {
  readonly text: string
  readonly value: JsonValue
}

/** Throws `Refused` if the body is not JSON. */
export function answerOf(body: Uint8Array): Answer {
  const text = new TextDecoder().decode(body)
  const read = parseJson(text, { maxDepth: MAX_DEPTH })
  if (read.kind === 'failure') throw new Refused(`the answer is not JSON: ${read.message}`)
  return { text, value: read.value }
}

/** An element of a list, with its text. */
interface Element {
  readonly value: JsonValue
  readonly text: string
}

/** Where the list of an answer is. */
interface ListPlace {
  readonly path: JsonPath
  readonly may_be_missing: boolean
}

/**
 * The elements of the list at a place; `undefined` if it is missing there and may be. Throws `Refused` if it may not, if there is something
 * else, and if the answer has an error in its place: some services answer errors with the status 200.
 */
export function listAt({ text, value }: Answer, { path, may_be_missing: mayBeMissing }: ListPlace): Element[] | undefined {
  const list = valueAt(value, path)
  const names = namesIn(path)
  if (names.length > 0 && (list === undefined || list === null)) {
    const where = `list in \`${names.join('.')}\``
    const error = errorIn(value)
    if (error !== undefined) throw new Refused(`the answer has no ${where}, but the error ${error}`)
    if (mayBeMissing) return undefined
    throw new Refused(
      `the answer has no ${where}: check the path, or set \`may_be_missing: true\` beside it if the service leaves out an empty list`,
    )
  }
  if (!Array.isArray(list))
    throw new Refused(names.length === 0 ? 'the answer is not a list' : `\`${names.join('.')}\` in the answer is not a list`)
  let at: number | undefined = skipSpace(text, 0)
  for (const name of names) at = at === undefined ? undefined : memberValue(text, at, name)
  const spans = at === undefined ? [] : splitJsonArray(text.slice(at)).elements
  return list.map((one: JsonValue, i) => {
    const span = spans.length === list.length ? spans[i] : undefined
    return { value: one, text: span ? text.slice(at! + span.start, at! + span.end) : JSON.stringify(one) }
  })
}

/** The error of an answer, by its code if it has a short one: `{"error":"x"}`, `{"error":{"code":1}}`, `{"errors":[{"code":1}]}`. */
function errorIn(answer: JsonValue): string | undefined {
  for (const member of ['error', 'errors']) {
    const found = valueAt(answer, member)
    const error = Array.isArray(found) ? found[0] : found
    if (error === undefined || error === null || error === false || error === '') continue
    const code = textAt(error, '') ?? textAt(error, 'code')
    return code !== undefined && /^[\w.-]{1,40}$/.test(code) ? code : `in \`${member}\``
  }
  return undefined
}

/**
 * The records of an answer in JSON, or of a body with a JSON object on each line. `undefined` if the answer leaves out the list and may.
 * Throws `Refused` as `listAt` does.
 */
export function recordsIn(from: Answer | Uint8Array, spec: RecordsSpec): PolledRecord[] | undefined {
  if (!(from instanceof Uint8Array)) return listAt(from, spec)?.map((element) => recordOf(element, spec))
  const lines = new TextDecoder().decode(from).split('\n')
  return lines.flatMap((line) => {
    const text = line.trim()
    if (text === '') return []
    const read = parseJson(text, { maxDepth: MAX_DEPTH })
    // What is not JSON becomes a dead letter further on.
    return recordOf({ text, value: read.kind === 'ok' ? read.value : null }, spec)
  })
}

function recordOf(element: Element, spec: RecordsSpec): PolledRecord {
  return { id: idOf(element, spec), texts: eventTexts(element.value, element.text, spec) }
}

/** Records without what should identify them are distinguished by their whole text. */
function idOf({ value, text }: Element, { id }: RecordsSpec): string {
  if (id === undefined) return hash16(text)
  const parts = (typeof id === 'string' ? [id] : id).map((one) => textAt(value, one))
  return parts.every((part) => part === undefined) ? hash16(text) : hash16(...parts.map((part) => part ?? ''))
}
