import { find } from '../../../util/define.ts'
import { TableError } from '../table.ts'
import { csv } from './csv.ts'
import { type Format, lines, quote } from './format.ts'
import { greynoise } from './greynoise.ts'
import { hosts } from './hosts.ts'
import { json } from './json.ts'
import { jsonl } from './jsonl.ts'
import { list } from './list.ts'
import { misp } from './misp.ts'
import { parquet } from './parquet.ts'
import { stix } from './stix.ts'
import { threatfox } from './threatfox.ts'
import { tor } from './tor.ts'

/** Built-in formats of table content. A new one is one file in this folder and one name here. */
export const formats: readonly Format[] = [csv, jsonl, json, list, hosts, tor, greynoise, misp, stix, threatfox, parquet]

/** The only binary format: a MaxMind DB, which is read in place (`mmdb/`). */
export const MMDB = 'mmdb'

/** The values of `Format:`. */
export const formatTypes: readonly string[] = [...formats.map(({ type }) => type), MMDB]

/** The evidence for choosing a format if the definition does not name one. */
export interface FormatHint {
  readonly type: string | undefined
  readonly fileName: string | undefined
  readonly primaryKey: string
  readonly rowsAt?: string | undefined
}

/**
 * The format that the definition names; otherwise the one of the file extension; otherwise the one that the content clearly has.
 *
 * @throws {TableError} if none of these decides.
 */
export function chooseFormat(text: string, { type, fileName, primaryKey, rowsAt }: FormatHint): Format {
  if (type !== undefined) return find('format', formats, type)
  const name = fileName?.toLowerCase().replace(/\.(?:gz|zst|zip)$/, '')
  const first = firstCharacter(text)
  // Brackets are better evidence than an extension: `.json` is used both for lines and for one array.
  if (first === '[' || rowsAt !== undefined) return json
  if (first === '{') return jsonl
  const byEnding = name === undefined ? undefined : formats.find((format) => format.extensions.some((end) => name.endsWith(end)))
  if (byEnding) return byEnding
  const [header] = lines(text)
  const cells = (header?.line ?? '').split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))
  if (cells.length > 1 && cells.includes(primaryKey)) return csv
  throw new TableError(
    `the format of the content is unclear; it begins with ${quote(text.slice(0, 60))}: add \`Format:\` (${formatTypes.join(', ')})`,
  )
}

function firstCharacter(text: string): string {
  return /\S/.exec(text.slice(0, 1000))?.[0] ?? ''
}
