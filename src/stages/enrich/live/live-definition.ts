import { ConfigError } from '../../../util/errors.ts'
import type { TableDefinition } from '../definition.ts'

/** Keys that say how to read content: that of a live table is composed here. */
const OF_CONTENT = ['Format', 'Filename', 'ContentDate', 'Columns', 'Rows', 'RowsPerKey', 'NewestBy'] as const

type Written = Readonly<Record<string, unknown>>

/**
 * What is the same for every live table. Its content has no rows at first and may grow by leaps.
 *
 * @throws {ConfigError} if the definition says otherwise.
 */
export function liveDefinition(
  document: unknown,
  { primaryKey, match, checks, file }: Pick<TableDefinition, 'primaryKey' | 'match' | 'checks' | 'file'>,
): Pick<TableDefinition, 'match' | 'format' | 'checks' | 'mayBeEmpty'> {
  if (primaryKey !== 'ip')
    throw new ConfigError(`is '${primaryKey}', but the key of a live table is the column ip`, {
      file,
      path: 'LogTypeMap.PrimaryKey',
    })
  if (match !== undefined && match !== 'ip')
    throw new ConfigError(`is '${match}', but the keys of a live table are addresses: remove this`, { file, path: 'Match' })
  const written = document as Written
  const unfit = OF_CONTENT.find((name) => written[name] !== undefined)
  if (unfit) throw new ConfigError('a live table is filled with the answers of its service: remove this', { file, path: unfit })
  const grows = { MinRows: 0, MaxShrinkPercent: 100, MaxGrowthPercent: 1_000_000 }
  return { match: 'ip', format: 'jsonl', checks: { ...checks, ...grows }, mayBeEmpty: true }
}
