import type { JsonObject } from '../../../../model/json.ts'
import { addValue } from '../add-value.ts'
import { readAddress } from './address.ts'

/** Fields that auditd writes in hex if they contain a space, a quote or a control character (auparse/interpret.c of audit-userspace). */
const ENCODED = new Set(
  'acct cmd comm cwd data exe file grp key name new-chardev new-disk new_group new-net new-rng old-disk ocomm path proctitle vm watch'.split(
    ' ',
  ),
)

const ABSENT = new Set(['(null)', '(none)', '?', '"?"', ''])

/** Words before a name that belong to it: `old auid=0 new auid=7`, as kernels before 3.13 wrote it. */
const PREFIXES = new Set(['old', 'new'])

/** Names of what auditd adds when `log_format = ENRICHED`. */
const ENRICHED = /^[A-Z]+$/

/** Adds `name=value` pairs to a record; other words are skipped. Quotes nest: `msg='op=x acct="y"'` has two pairs. */
export function readFields(text: string, record: JsonObject): void {
  let at = 0
  let prefix = ''
  while (at < text.length) {
    while (text[at] === ' ') at++
    const nameEnd = endOfName(text, at)
    const name = text.slice(at, nameEnd)
    if (text[nameEnd] !== '=') {
      prefix = PREFIXES.has(name) ? `${name}_` : ''
      at = nameEnd === at ? at + 1 : nameEnd
      continue
    }
    const end = endOfValue(text, nameEnd + 1)
    addField(record, name, text.slice(nameEnd + 1, end), prefix)
    prefix = ''
    at = end
  }
}

function addField(record: JsonObject, name: string, value: string, prefix: string): void {
  if (name === 'msg' && value.startsWith("'")) {
    readFields(withoutQuotes(value, "'"), record)
    return
  }
  if (name === '' || ABSENT.has(value)) return
  const key = ENRICHED.test(name) ? `${name.toLowerCase()}_name` : prefix + name.replaceAll('-', '_')
  if (name === 'saddr') readAddress(value, record)
  addValue(record, key, textOf(name, value, record['type']))
}

function endOfName(text: string, start: number): number {
  let at = start
  while (at < text.length && text[at] !== ' ' && text[at] !== '=') at++
  return at
}

/** A value in quotes ends at its quote, one in braces at the brace, and any other at a space. */
function endOfValue(text: string, start: number): number {
  const open = text[start]
  const close = open === '{' ? '}' : open === '"' || open === "'" ? open : undefined
  const end = text.indexOf(close ?? ' ', close === undefined ? start : start + 1)
  if (end < 0) return text.length
  return close === undefined ? end : end + 1
}

function textOf(name: string, value: string, type: unknown): string {
  if (value.startsWith('"')) return withoutQuotes(value, '"')
  const isArgument = type === 'EXECVE' && /^a\d+(\[\d+\])?$/.test(name.slice(0, 12))
  return (ENCODED.has(name) || isArgument) && isHex(value) ? decodeHex(value) : value
}

function withoutQuotes(value: string, quote: string): string {
  return value.slice(1, value.length > 1 && value.endsWith(quote) ? -1 : undefined)
}

function isHex(text: string): boolean {
  if (text.length % 2 !== 0) return false
  for (let at = 0; at < text.length; at++) {
    const c = text.charCodeAt(at)
    if (!((c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x46))) return false
  }
  return text.length > 0
}

/** The arguments in a process title are separated by NUL. */
function decodeHex(hex: string): string {
  return Buffer.from(hex, 'hex').toString('utf8').replaceAll('\u0000', ' ').trimEnd()
}
