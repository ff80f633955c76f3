import { lakeDaysOf, type RetentionConfig, shortestLakeDays } from '../../config/retention.ts'
import type { Partition } from '../../stages/store/partitions.ts'
import { dayOf, daysBefore, daysBetween, WEEK_MS, weekOf } from './weeks.ts'

/** Rows of a partition that are due to be deleted. */
export interface Due {
  readonly partition: Partition
  /** Those received before this time. Absent: all of them. */
  readonly beforeMs?: number
  /** Those of these log types. Absent: all of them. */
  readonly logTypes?: readonly string[]
}

type LogTypesIn = (partition: Partition) => Promise<readonly string[]>

/** What has been kept for longer than `retention` says, oldest first. */
export async function expired(
  partitions: readonly Partition[],
  retention: RetentionConfig,
  { nowMs, logTypesIn }: { readonly nowMs: number; readonly logTypesIn: LogTypesIn },
): Promise<Due[]> {
  const shortest = shortestLakeDays(retention)
  if (shortest === undefined) return []
  const daysOf = lakeDaysOf(retention)
  const due: Due[] = []
  for (const partition of partitions.filter(({ hasParseTime }) => hasParseTime)) {
    const week = weekOf(partition.id)
    const isOver = (days: number | undefined): days is number =>
      days !== undefined && (week === undefined || week + WEEK_MS <= daysBefore(nowMs, days))
    if (!isOver(shortest)) continue
    const isMixed = partition.hasLogTypes && partition.logType === undefined
    if (isMixed)
      due.push(...ofTypes(partition, await logTypesIn(partition), { daysOf, isOver, nowMs, isWeek: week !== undefined }))
    else {
      const days = daysOf(partition.logType)
      // A month of events, as an earlier version stored them: its rows were received at any time since.
      if (isOver(days)) due.push({ partition, ...(week === undefined && { beforeMs: daysBefore(nowMs, days) }) })
    }
  }
  return due.sort((a, b) => (a.partition.id < b.partition.id ? -1 : a.partition.id > b.partition.id ? 1 : 0))
}

interface TypeDeps {
  readonly daysOf: (logType: string) => number | undefined
  readonly isOver: (days: number | undefined) => days is number
  readonly nowMs: number
  readonly isWeek: boolean
}

/** What is due of a partition with rows of several log types: one deletion for those that are kept equally long. */
function ofTypes(partition: Partition, logTypes: readonly string[], { daysOf, isOver, nowMs, isWeek }: TypeDeps): Due[] {
  const byDays = new Map<number, string[]>()
  for (const logType of logTypes) {
    const days = daysOf(logType)
    if (isOver(days)) byDays.set(days, [...(byDays.get(days) ?? []), logType])
  }
  if (isWeek) {
    const all = [...byDays.values()].flat()
    return all.length === 0 ? [] : [{ partition, logTypes: all }]
  }
  return [...byDays].map(([days, types]) => ({ partition, logTypes: types, beforeMs: daysBefore(nowMs, days) }))
}

/**
 * What to delete for the size limit, in this order: the oldest week first, and in it events, largest table first, before what is made from
 * them. Of the current week, whole days; what was received today stays.
 */
export function oldestFirst(partitions: readonly Partition[], nowMs: number): Due[] {
  const today = dayOf(nowMs)
  const steps = partitions
    .filter(({ hasParseTime }) => hasParseTime)
    .flatMap((partition) => {
      const week = weekOf(partition.id)
      if (week === undefined) return [{ partition, atMs: monthOf(partition.id) }]
      if (week + WEEK_MS <= today) return [{ partition, atMs: week }]
      return [...daysBetween(week, today)].map((day) => ({ partition, atMs: day, beforeMs: day + DAY_MS }))
    })
  const rank = ({ database }: Partition) => (database === 'logs' ? 0 : 1)
  return steps
    .sort((a, b) => a.atMs - b.atMs || rank(a.partition) - rank(b.partition) || b.partition.bytes - a.partition.bytes)
    .map(({ atMs: _, ...due }) => due)
}

const DAY_MS = 86_400_000

function monthOf(partition: string): number {
  const [, year, month] = /^(\d{4})(\d{2})$/.exec(partition) ?? []
  return year === undefined ? 0 : Date.UTC(Number(year), Number(month) - 1)
}
