import { addressNumber, rangeOf } from '../../../model/ip-range.ts'
import type { JsonObject } from '../../../model/json.ts'
import { TableError } from '../table.ts'
import { BATCH, batches, type Format, lines, quote, type ReadRow } from './format.ts'
import { isNetwork, prefixBits, spanKey } from './span.ts'

/**
 * The end of the key: a tab, or blanks before a `;` or `#` (so that a key may contain blanks, `;` and `#`). Matched from the first of the
 * blanks only: from each of them, a line of a million blanks would take an hour.
 */
const END = /\t|(?<!\s)\s+[;#]/

/** Two addresses at the start of a line, the ends of a range, with an optional prefix length: `start TAB end TAB 24`. */
const TWO_ADDRESSES = /^([\da-fA-F.:]+)(\s*-\s*|[\t ,]+)([\da-fA-F.:]+)(?=$|[\s,;#])(?:[\t ,;]+\/?(\d{1,3})(?=$|[\s,;#]))?/

/** An address and a number: a count of sightings or a prefix length. */
const ADDRESS_AND_NUMBER = /^([\da-fA-F.:]+)[\t ,]+(\/?\d{1,3}|(?:\d+\.){3}\d+)(?=$|[\s,;#])/

/** A line that names the two columns of a range. */
const RANGE_HEADER = /^[#;\s]*"?(?:start|first|from|begin)(?:[ _]?(?:ip|addr(?:ess)?))?"?[\t ,;-]+"?(?:end|last|to)\b/i

/**
 * One key per line; `#` and `;` begin a comment; the text after a key is its `note`: `1.10.16.0/20 ; SBL256894`. Lines with both
 * ends of a range, or an address with its prefix length or mask, have that range or network as their key.
 */
export const list: Format = {
  type: 'list',
  summary: 'One key or address range per line; a comment after # or ; is kept as the note.',
  isText: true,
  isWide: false,
  extensions: ['.txt', '.list', '.lst', '.netset', '.ipset'],
  *read(text, { primaryKey }) {
    const prefixes = yield* hasPrefixColumn(text)
    yield* batches(rows(text, primaryKey, prefixes))
  },
}

function* rows(text: string, primaryKey: string, prefixes: boolean): Generator<JsonObject> {
  let namesRange = false
  for (const { line, number } of lines(text)) {
    const trimmed = line.trim()
    if (RANGE_HEADER.test(trimmed)) {
      namesRange = true
      continue
    }
    if (isComment(trimmed)) continue
    const span = rangeAt(trimmed, number, namesRange) ?? (prefixes ? prefixAt(trimmed) : undefined)
    const end = span ? undefined : END.exec(trimmed)
    const key = span?.key ?? (end ? trimmed.slice(0, end.index) : trimmed)
    const rest = span ? span.rest : end ? trimmed.slice(end.index + end[0].length) : ''
    const note = span ? rest.replace(/^[\s,;#]+/, '').trim() : rest.trim()
    yield note === '' ? { [primaryKey]: key } : { [primaryKey]: key, note }
  }
}

function isComment(trimmed: string): boolean {
  return trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith(';')
}

interface Span {
  readonly key: string
  readonly rest: string
}

/**
 * The range at the start of a line. Two addresses are a range if a dash joins them, the header says so, the prefix length
 * after them agrees, or they are the ends of a network. Otherwise the second could be anything.
 */
function rangeAt(line: string, number: number, namesRange: boolean): Span | undefined {
  const found = TWO_ADDRESSES.exec(line)
  const [whole, first, joint, last, length] = found ?? []
  if (first === undefined || last === undefined || !addressNumber(first) || !addressNumber(last)) return undefined
  const rest = line.slice(whole!.length)
  const mask = prefixBits(first, last)
  if (mask !== undefined) return { key: `${first}/${mask}`, rest: line.slice(line.indexOf(last, first.length) + last.length) }
  const range = rangeOf(first, last)
  const agrees = range && length !== undefined && spanKey(first, last, range) === `${first}/${length}`
  if (range && (joint!.includes('-') || namesRange || agrees || isNetwork(range))) {
    return { key: spanKey(first, last, range), rest: agrees || length === undefined ? rest : `${length}${rest}` }
  }
  throw new TableError(
    `line ${number} has two addresses: ${quote(line)}. If they are a range, write it as first-last or as networks; if not, put a ; before the second`,
  )
}

function prefixAt(line: string): Span | undefined {
  const [whole, address, column] = ADDRESS_AND_NUMBER.exec(line) ?? []
  if (address === undefined || column === undefined) return undefined
  return { key: `${address}/${prefixBits(address, column)}`, rest: line.slice(whole!.length) }
}

/**
 * Whether the numbers after the addresses are prefix lengths: each address is then the first of its network. With counts
 * (`185.220.101.1 TAB 9`) that is rarely true for one line and never for all. Yields empty batches: the whole text may have to be read.
 */
function* hasPrefixColumn(text: string): Generator<ReadRow[], boolean> {
  let isOne = false
  for (const { line, number } of lines(text)) {
    if (number % BATCH === 0) yield []
    const trimmed = line.trim()
    if (isComment(trimmed)) continue
    const [, address, column] = ADDRESS_AND_NUMBER.exec(trimmed) ?? []
    if (address === undefined || column === undefined) {
      if (addressNumber(END.exec(trimmed) ? trimmed.slice(0, END.exec(trimmed)!.index) : trimmed)) return false
      continue
    }
    const bits = prefixBits(address, column)
    if (bits === undefined) return false
    isOne ||= bits < 32
  }
  return isOne
}
