import { z } from 'zod'
import { ConfigError } from '../../util/errors.ts'
import { type SelectorText, selectorName } from './selector.ts'

/** The columns of a row that are its key. */
export interface TableKey {
  /** `column`: one column; `composite`: the values of several columns together. */
  readonly kind: 'column' | 'composite'
  readonly columns: readonly string[]
}

const column = z.string().min(1).max(255)

/** `PrimaryKey` in a table's YAML. */
export const primaryKeySchema = z
  .union([column, z.array(column).min(2).max(8)], 'must be a column, or a list of 2 to 8 columns for a composite key')
  .describe('The column that contains the key, or a list of columns whose values together are the key.')

/** Reads `PrimaryKey`. Throws `ConfigError` if it names a column twice. */
export function readKey(primaryKey: z.output<typeof primaryKeySchema>, file: string): TableKey {
  if (typeof primaryKey === 'string') return { kind: 'column', columns: [primaryKey] }
  const twice = primaryKey.find((name, at) => primaryKey.indexOf(name) !== at)
  if (twice !== undefined) throw new ConfigError(`names the column '${twice}' twice`, { file, path: 'LogTypeMap.PrimaryKey' })
  return { kind: 'composite', columns: primaryKey }
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
    `the selector '${name}' is a list of fields, but the key is the column '${columns[0]}': write each field as a selector of its own, or make PrimaryKey a list`,
    { file, path },
  )
}
