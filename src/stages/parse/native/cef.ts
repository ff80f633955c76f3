import type { JsonObject } from '../../../model/json.ts'
import { addValue } from './add-value.ts'
import type { NativeParser } from './native.ts'
import { readSyslogHeader } from './syslog.ts'

/** Names of the header's columns in ArcSight's event dictionary. */
const HEADER = ['cefVersion', 'deviceVendor', 'deviceProduct', 'deviceVersion', 'deviceEventClassId', 'name', 'severity'] as const

/**
 * ArcSight's Common Event Format, with or without a syslog header. The keys of the extension are fields of the record, named as
 * in the message (`src`, `dhost`, `cs1`, `cs1Label`).
 *
 * Described in "Implementing ArcSight Common Event Format (CEF)", versions 0 and 1.
 */
export const cef: NativeParser = {
  type: 'cef',
  summary: 'Common Event Format of ArcSight, with or without a syslog header.',
  example: {
    texts: [
      'CEF:0|Example|Guard|1.0|100|worm \\| stopped|10|src=192.0.2.1 msg=a \\= b\\nc spt=1232',
      '<134>Mar  6 04:07:28 fw1 CEF:1|Example|Guard|1.0|7|login|Low|suser=alice cs1Label=policy cs1=two words',
    ],
    records: [
      {
        cefVersion: '0',
        deviceVendor: 'Example',
        deviceProduct: 'Guard',
        deviceVersion: '1.0',
        deviceEventClassId: '100',
        name: 'worm | stopped',
        severity: '10',
        src: '192.0.2.1',
        msg: 'a = b\nc',
        spt: '1232',
      },
      {
        syslog: { priority: 134, facility: 16, severity: 6, timestamp: 'Mar  6 04:07:28', hostname: 'fw1' },
        cefVersion: '1',
        deviceVendor: 'Example',
        deviceProduct: 'Guard',
        deviceVersion: '1.0',
        deviceEventClassId: '7',
        name: 'login',
        severity: 'Low',
        suser: 'alice',
        cs1Label: 'policy',
        cs1: 'two words',
      },
    ],
  },
  parse(text) {
    const opening = openingOf(text, 'CEF:')
    if (!opening) return undefined
    const columns = readColumns(text, opening.end, HEADER.length)
    if (!columns) return undefined
    const record: JsonObject = opening.header ? { syslog: opening.header } : {}
    for (const [i, name] of HEADER.entries()) record[name] = undoEscape(columns.values[i]!)
    readExtension(text.slice(columns.end), record)
    return record
  },
}

/** Where the format's name ends, and the syslog header before it. */
export function openingOf(
  text: string,
  name: string,
): { readonly end: number; readonly header: JsonObject | undefined } | undefined {
  const at = text.slice(0, 1024).indexOf(name)
  if (at < 0) return undefined
  const header = at === 0 ? undefined : readSyslogHeader(text.slice(0, at))
  return at === 0 || header ? { end: at + name.length, header } : undefined
}

interface Columns {
  readonly values: readonly string[]
  /** Where the extension begins. */
  readonly end: number
}

/** Columns that are each followed by `|`; one after a backslash is text. The last may end the text. */
export function readColumns(text: string, start: number, count: number): Columns | undefined {
  const values: string[] = []
  let from = start
  for (let at = start; at < text.length && values.length < count; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '|') {
      values.push(text.slice(from, at))
      from = at + 1
    }
  }
  if (values.length === count - 1) {
    values.push(text.slice(from))
    from = text.length
  }
  return values.length === count ? { values, end: from } : undefined
}

const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', '\\': '\\', '|': '|', '=': '=' }

function undoEscape(text: string): string {
  if (!text.includes('\\')) return text.trim()
  const parts: string[] = []
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const replacement = text[at] === '\\' ? ESCAPED[text[at + 1] ?? ''] : undefined
    if (replacement === undefined) continue
    parts.push(text.slice(from, at), replacement)
    from = at + 2
    at++
  }
  return (parts.join('') + text.slice(from)).trim()
}

/** `key=value` pairs whose values may contain spaces: a value ends where the next key begins. */
function readExtension(text: string, record: JsonObject): void {
  let key: string | undefined
  let valueStart = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '=') {
      const keyStart = startOfKey(text, at, valueStart)
      if (keyStart < 0) continue
      if (key !== undefined) addValue(record, key, undoEscape(text.slice(valueStart, keyStart)))
      key = text.slice(keyStart, at)
      valueStart = at + 1
    }
  }
  if (key !== undefined) addValue(record, key, undoEscape(text.slice(valueStart)))
  else if (text.trim() !== '') record['extension'] = undoEscape(text)
}

const MAX_KEY = 128

/** The start of the word before an equals sign, or -1 if there is no key. An unescaped sign within a value is part of it. */
function startOfKey(text: string, equals: number, least: number): number {
  let at = equals
  while (at > least && equals - at <= MAX_KEY && isKeyCharacter(text.charCodeAt(at - 1))) at--
  return at < equals && (at === 0 || text[at - 1] === ' ') ? at : -1
}

function isKeyCharacter(c: number): boolean {
  const isLetter = (c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a)
  return isLetter || (c >= 0x30 && c <= 0x39) || c === 0x5f || c === 0x2e || c === 0x2d || c === 0x5b || c === 0x5d
}
