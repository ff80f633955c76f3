import { lakeDaysOf, type RetentionConfig } from '../../config/retention.ts'
import type { KeptLogType } from '../../model/retention.ts'
import type { Partition } from '../../stages/store/partitions.ts'
import { partitionName } from './weeks.ts'

/** What the lake has of each log type, largest first. */
export function keptLogTypes(partitions: readonly Partition[], retention: RetentionConfig): KeptLogType[] {
  const daysOf = lakeDaysOf(retention)
  const found = new Map<string, { rows: number; bytes: number; since: string }>()
  for (const { logType, rows, bytes, id } of partitions) {
    if (logType === undefined) continue
    const known = found.get(logType) ?? { rows: 0, bytes: 0, since: id }
    // Weeks and months compare by their first six digits.
    const since = [id, known.since].sort()[0]!
    found.set(logType, { rows: known.rows + rows, bytes: known.bytes + bytes, since })
  }
  return [...found]
    .map(([logType, { since, ...kept }]) => ({ logType, ...kept, since: partitionName(since), days: daysOf(logType) }))
    .sort((a, b) => b.bytes - a.bytes || (a.logType < b.logType ? -1 : 1))
}
