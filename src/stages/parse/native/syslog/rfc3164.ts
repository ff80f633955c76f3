import type { JsonObject } from '../../../../model/json.ts'
import { severityOf } from './priority.ts'
import { readTag, type Tag } from './tag.ts'
import { isDigit, isIsoTime, withoutSpaces } from './text.ts'

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'

/** No host name in DNS is longer. */
const MAX_HOST = 255

/** Messages that daemons write without a tag. */
const UNTAGGED = ['last message repeated ', 'message repeated ', '-- MARK --', '--- ']

/**
 * A BSD syslog message after its priority: a time, and then most often a host, a tag and the message, of which implementations
 * leave out one or the other. Without a priority, a text that does not begin with a time is not syslog: `undefined`.
 */
export function readRfc3164(text: string, start: number, hasPriority: boolean): JsonObject | undefined {
  const timeEnd = readTime(text, start)
  if (timeEnd < 0) return hasPriority ? { message: withoutSpaces(text.slice(start)) } : undefined
  const record: JsonObject = { timestamp: text.slice(start, timeEnd) }
  const colon = text[timeEnd] === ':'
  const rest = withoutSpaces(text.slice(colon ? timeEnd + 1 : timeEnd))
  const tagged = readTag(rest)
  if (tagged) return withTag(record, tagged)
  if (colon) return { ...record, message: rest }
  const space = rest.indexOf(' ')
  const word = space < 0 ? rest : rest.slice(0, space)
  const after = space < 0 ? '' : withoutSpaces(rest.slice(space + 1))
  // Chrome OS writes a severity in place of the host.
  const severity = word === word.toUpperCase() ? severityOf(word) : undefined
  if (severity !== undefined) return withTag({ ...record, severity }, readTag(after) ?? untagged(after))
  if (word.length > MAX_HOST) return { ...record, message: rest }
  record['hostname'] = word
  return withTag(record, readTag(after) ?? looseTag(after))
}

function withTag(record: JsonObject, { name, processId, severity, message }: Tag): JsonObject {
  if (severity !== undefined) record['severity'] ??= severity
  if (name !== '') record['appname'] = name
  if (processId !== undefined) record['procid'] = processId
  record['message'] = message
  return record
}

function untagged(message: string): Tag {
  return { name: '', processId: undefined, severity: undefined, message }
}

/** Like rsyslog, takes the first word for the tag where nothing closes one, if it is a plain word. */
function looseTag(text: string): Tag {
  if (UNTAGGED.some((start) => text.startsWith(start))) return untagged(text)
  let at = 0
  for (; at < text.length && at <= 32; at++) {
    const c = text.charCodeAt(at)
    const isPlain = isDigit(c) || (c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a) || c === 0x2d || c === 0x5f || c === 0x2e
    if (!isPlain) break
  }
  if (at === 0 || text[at] !== ' ') return untagged(text)
  return { name: text.slice(0, at), processId: undefined, severity: undefined, message: withoutSpaces(text.slice(at)) }
}

/** The end of the time at the start, or -1. Its value is checked by the schema's time formats. */
function readTime(text: string, start: number): number {
  const head = text.slice(start, start + 40)
  if (isIsoTime(head)) return start + tokenEnd(head, 19)
  const month = MONTHS.indexOf(head.slice(0, 3))
  if (month < 0 || month % 3 !== 0) return -1
  // `Mar  6 04:07:28`, `Mar 6 04:07:28.123`, `Mar  6 2024 04:07:28`, `Mar  6 04:07:28 2024`.
  const match = /^ {1,2}\d{1,2}(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d{1,9})?(?: \d{4}(?= |:|$))?/.exec(head.slice(3))
  return match ? start + 3 + match[0].length : -1
}

/** Of an ISO time: fraction and offset. */
function tokenEnd(head: string, start: number): number {
  let at = start
  while (at < head.length && (isDigit(head.charCodeAt(at)) || '.,+-Z'.includes(head[at]!))) at++
  // The colon within an offset is part of the time, the one after the time is not.
  return /[+-]\d\d$/.test(head.slice(start, at)) && /^:\d\d/.test(head.slice(at)) ? at + 3 : at
}
