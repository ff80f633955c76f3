import { z } from 'zod'
import { ConfigError } from '../../util/errors.ts'
import { type SelectorText, selectorName } from './selector.ts'
import { MATCH_KINDS, type MatchKind } from './table.ts'
import { PART_KINDS, type PartKind } from './tables/composite-index.ts'

/** The columns of a row that are its key. */
export interface TableKey {
  /** `column`: one column; `composite`: the values of several columns together; `range`: the first and the last address of a range. */
  readonly kind: 'column' | 'composite' | 'range'
  readonly columns: readonly string[]
}

const column = z.string().min(1).max(255)

/** `PrimaryKey` in a table's YAML. */
export const primaryKeySchema = z
  .union(
    [column, z.array(column).min(2).max(8), z.strictObject({ Start: column, End: column })],
    'must be a column, a list of 2 to 8 columns for a composite key, or { Start: column, End: column } for ranges of addresses',
  )
  .describe(
    'The column that contains the key, a list of columns whose values together are the key, or the columns with the first and the last address of a range.',
  )

/** Reads `PrimaryKey`. Throws `ConfigError` if it names a column twice. */
export function readKey(primaryKey: z.output<typeof primaryKeySchema>, file: string): TableKey {
  if (typeof primaryKey === 'string') return { kind: 'column', columns: [primaryKey] }
  const columns = Array.isArray(primaryKey) ? primaryKey : [primaryKey.Start, primaryKey.End]
  const twice = columns.find((name, at) => columns.indexOf(name) !== at)
  if (twice !== undefined) throw new ConfigError(`names the column '${twice}' twice`, { file, path: 'LogTypeMap.PrimaryKey' })
  return { kind: Array.isArray(primaryKey) ? 'composite' : 'range', columns }
}

/**
 * Checks that selectors have one field for each column of a composite key.
 *
 * @throws {ConfigError} with file and path.
 */
export function checkSelectorLength(
  { kind, columns }: TableKey,
  selector: SelectorText,
  { file, path }: { readonly file: string; readonly path: string },
): void {
  const name = selectorName(selector)
  if (kind === 'composite') {
    const length = typeof selector === 'string' ? 1 : selector.length
    if (length === columns.length) return
    const example = columns.map((_, i) => `field_${i + 1}`).join(', ')
    throw new ConfigError(
      `the selector '${name}' has ${length === 1 ? '1 field' : `${length} fields`}, but the key has ${columns.length} columns (${columns.join(', ')}): write a list with one field for each, [${example}]`,
      { file, path },
    )
  }
  if (typeof selector === 'string') return
  throw new ConfigError(
    `the selector '${name}' is a list of fields, but the key is one value (${columns.join(' to ')}): write each field as a selector of its own, or make PrimaryKey a list`,
    { file, path },
  )
}

/** How keys are compared, as far as the definition says it. */
export interface KeyMatch {
  /** `undefined`: determined by the schema, otherwise by the keys. Of a composite key: `parts`. */
  readonly match: MatchKind | undefined
  /** How each part of a composite key is compared; `undefined` as above. */
  readonly parts: readonly PartKind[] | undefined
}

/** Reads `Match`. Throws `ConfigError` if it does not fit the key. */
export function readMatch(
  {
    Match: match,
    PublicSuffix: isRegistrable,
  }: { readonly Match?: MatchKind | readonly PartKind[] | undefined; readonly PublicSuffix: boolean },
  { kind, columns }: TableKey,
  file: string,
): KeyMatch {
  const refuse = (message: string) => new ConfigError(message, { file, path: 'Match' })
  if (isRegistrable) {
    if (kind === 'column' && (match === undefined || match === 'domain')) return { match: 'registrable_domain', parts: undefined }
    throw new ConfigError('belongs to a key that is one domain (`Match: domain`): remove it', { file, path: 'PublicSuffix' })
  }
  if (kind === 'range') {
    if (match === undefined || match === 'cidr') return { match, parts: undefined }
    throw refuse(`must be cidr, or left out: the keys are ranges of addresses (${columns.join(' to ')})`)
  }
  if (kind === 'column') {
    if (match === undefined || typeof match === 'string') return { match, parts: undefined }
    throw refuse(`is a list, but the key is the column '${columns[0]}': write one of ${MATCH_KINDS.join(', ')}`)
  }
  if (match === undefined) return { match, parts: undefined }
  const parts = typeof match === 'string' ? columns.map(() => match) : match
  const other = parts.find((part) => !(PART_KINDS as readonly string[]).includes(part))
  if (other !== undefined)
    throw refuse(
      `'${other}' cannot compare a part of a composite key: use ${PART_KINDS.join(', ')}, as a list with one for each column`,
    )
  if (parts.length !== columns.length)
    throw refuse(`has ${parts.length} kinds for ${columns.length} columns (${columns.join(', ')})`)
  return { match: undefined, parts: parts as readonly PartKind[] }
}
