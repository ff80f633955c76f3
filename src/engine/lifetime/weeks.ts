export const DAY_MS = 86_400_000
export const WEEK_MS = 7 * DAY_MS

/** The Monday on which a partition's week begins, epoch ms; `undefined` if the partition is not a week. */
export function weekOf(partition: string): number | undefined {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})$/.exec(partition) ?? []
  return year === undefined ? undefined : Date.UTC(Number(year), Number(month) - 1, Number(day))
}

/** A week or month as people write it: `2026-03-02`, `2026-03`. */
export function partitionName(partition: string): string {
  return partition.replace(/^(\d{4})(\d{2})/, '$1-$2').replace(/^(\d{4}-\d{2})(\d{2})/, '$1-$2')
}

export function daysBefore(nowMs: number, days: number): number {
  return nowMs - days * DAY_MS
}

/** The beginning of the day, UTC. */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS
}

/** The days from one time up to another, without the last. */
export function* daysBetween(fromMs: number, toMs: number): Generator<number> {
  for (let ms = dayOf(fromMs); ms < toMs; ms += DAY_MS) yield ms
}
