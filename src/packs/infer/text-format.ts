import type { ParserSpec } from '../../model/schema.ts'
import { nativeParsers } from '../../stages/parse/native/index.ts'
import { keyValue } from '../../stages/parse/native/key-value.ts'
import { HEADER } from '../../stages/parse/native/native.ts'
import { splitRow } from '../../stages/parse/text/csv.ts'
import { Miss } from '../../stages/parse/text/text-parser.ts'

/** How many of the first texts decide the format. */
const LOOK = 500
/** Share of the texts that a native format must read: logs have a few lines of something else. */
const MOST = 0.95
const DELIMITERS = [',', '\t', ';', '|'] as const
/** Places of a row that have nothing. */
const EMPTY = ['', '-'] as const

/** The parser that reads these texts, and how it is called in a sentence. `undefined`: unknown. */
export function textFormat(all: readonly string[]): { readonly parser: ParserSpec; readonly name: string } | undefined {
  const texts = all.slice(0, LOOK)
  const native = nativeFormat(texts)
  if (native) return { parser: { type: 'native', settings: { name: native } }, name: `the built-in format '${native}'` }
  const csv = csvFormat(texts)
  if (csv) return csv
  if (!isKeyValue(texts)) return undefined
  return { parser: { type: 'native', settings: { name: keyValue.type } }, name: 'keys and values (logfmt)' }
}

function nativeFormat(texts: readonly string[]): string | undefined {
  let best: { readonly type: string; readonly records: number } | undefined
  for (const parser of nativeParsers) {
    if (parser === keyValue) continue
    let header = ''
    let records = 0
    let other = 0
    for (const text of texts) {
      const result = parser.parse(text, header)
      if (result === HEADER) header = text
      else if (result === undefined) other++
      else records++
      if (other > texts.length * (1 - MOST)) break
    }
    if (records > (best?.records ?? 0) && other <= texts.length * (1 - MOST)) best = { type: parser.type, records }
  }
  return best?.type
}

function csvFormat(texts: readonly string[]): ReturnType<typeof textFormat> {
  const [header = '', ...rows] = texts
  for (const delimiter of DELIMITERS) {
    const names = splitRow(header, delimiter)
    if (names instanceof Miss || names.length < 2 || !isHeader(names)) continue
    const cells = rows.map((row) => splitRow(row, delimiter))
    if (rows.length === 0 || !cells.every((row) => !(row instanceof Miss) && row.length === names.length)) continue
    const emptyValues = EMPTY.filter((empty) => cells.some((row) => !(row instanceof Miss) && row.includes(empty)))
    const settings = {
      hasHeader: true,
      ...(delimiter !== ',' && { delimiter }),
      ...(emptyValues.length > 0 && { emptyValues }),
    }
    return { parser: { type: 'csv', settings }, name: 'CSV with a header' }
  }
  return undefined
}

/** Names differ from each other and from numbers. */
function isHeader(names: readonly string[]): boolean {
  const trimmed = names.map((name) => name.trim())
  return new Set(trimmed).size === names.length && trimmed.every((name) => /^[^\d\s"'{[][^"{}[\]=]{0,99}$/.test(name))
}

/** Nearly every line has two pairs or more; a lone `a=b` in a sentence is no format. */
function isKeyValue(texts: readonly string[]): boolean {
  const fitting = texts.filter((text) => {
    const record = keyValue.parse(text)
    return typeof record === 'object' && Object.values(record).filter((value) => value !== true).length >= 2
  })
  return fitting.length > 0 && fitting.length >= texts.length * MOST
}
