import { isJson } from '../util/json.ts'
import { endOfString } from '../util/json-spans.ts'

/** A text in which test events written as JSON are replaced by marks; YAML readers are slow, `JSON.parse` is not. */
export interface Unburdened {
  readonly text: string
  /** Prefix of every mark; it occurs nowhere else in the text. */
  readonly prefix: string
  /** Mark → the event's JSON on one line. */
  readonly logs: ReadonlyMap<string, string>
}

const LOG_KEY = /^[ ]*(?:- )?(?:Log|Resource):[ \t]*(?:\r?\n[ \t]*)?(?=\{)/gm

/**
 * Extracts each `Log: {…}` of the unit tests that is JSON: valid JSON is YAML with the same meaning, and its text is already what a test
 * needs, with numbers as written. Anything that only looks like JSON stays and is read as YAML. Line numbers do not change.
 */
export function takeOutJsonLogs(text: string): Unburdened {
  let prefix = 'json-log-'
  while (text.includes(prefix)) prefix += '-'
  const logs = new Map<string, string>()
  const parts: string[] = []
  let copied = 0
  const tests = text.search(/^Tests:/m)
  LOG_KEY.lastIndex = tests
  for (let key = tests < 0 ? null : LOG_KEY.exec(text); key; key = LOG_KEY.exec(text)) {
    const start = key.index + key[0].length
    const object = objectAt(text, start)
    if (object === undefined || !isJson(object.json)) continue
    const mark = `${prefix}${logs.size}`
    // Strings of valid JSON contain no line breaks (YAML folds them there), so all line breaks are layout.
    logs.set(mark, object.json.replace(/\s*\n\s*/g, ''))
    parts.push(text.slice(copied, start), `"${mark}"`, text.slice(start, object.end).replace(/[^\n]+/g, ''))
    copied = object.end
    LOG_KEY.lastIndex = object.end
  }
  return { text: parts.join('') + text.slice(copied), prefix, logs }
}

/**
 * The object that begins at `start`, if nothing else follows on its last line: its end, and its text without the trailing commas that YAML
 * allows and JSON does not. Also `undefined` if it contains a JSON number that is a string in YAML: one with an exponent but without a
 * point (`1e3`) or without a sign (`1.5e3`).
 */
function objectAt(text: string, start: number): { readonly end: number; readonly json: string } | undefined {
  const token = /["{}]|,(?=\s*[}\]])|(?<![.\d])\d+[eE]|\d[eE]\d/g
  token.lastIndex = start
  const parts: string[] = []
  let kept = start
  let depth = 0
  for (let found = token.exec(text); found; found = token.exec(text)) {
    if (found[0] === '"') {
      const close = endOfString(text, found.index)
      if (close === text.length) return undefined
      token.lastIndex = close + 1
    } else if (found[0] === ',') {
      parts.push(text.slice(kept, found.index))
      kept = found.index + 1
    } else if (found[0] !== '{' && found[0] !== '}') {
      return undefined
    } else {
      depth += found[0] === '{' ? 1 : -1
      if (depth > 0) continue
      const end = found.index + 1
      const lineEnd = text.indexOf('\n', end)
      if (text.slice(end, lineEnd < 0 ? undefined : lineEnd).trim() !== '') return undefined
      return { end, json: parts.join('') + text.slice(kept, end) }
    }
  }
  return undefined
}
