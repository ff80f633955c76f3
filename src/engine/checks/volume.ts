import { type SystemProblem, systemProblem } from '../../model/system-problem.ts'
import type { SourceProgress } from '../pipeline-calls.ts'
import type { Check } from './check.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** An hour is judged this long after its end, when its last records are committed. */
const SETTLE_MS = 60_000
/** Number of days that an hour is compared with, and how many of them there must be. */
const MOST_DAYS = 14
const LEAST_DAYS = 7
/** How many times more or fewer records than ever are an anomaly, … */
const FACTOR = 5
/** … when that is also this many more, … */
const LEAST_MORE = 1000
/** … or when at least this many were usual. */
const LEAST_USUAL = 100

export interface VolumeDeps {
  readonly sources: () => readonly {
    readonly id: string
    readonly volume_alarm: boolean
    readonly drop_off_minutes?: number | undefined
  }[]
  /** Records by hour and source. */
  readonly hourly: (fromMs: number, untilMs: number) => Promise<ReadonlyMap<string, ReadonlyMap<number, number>>>
  /** When each source's first record was received. */
  readonly firstMs: () => Promise<ReadonlyMap<string, number>>
  readonly progress: () => Promise<readonly SourceProgress[]>
  /** Epoch ms. */
  readonly now: () => number
}

/** Compares what each source sent in the last full hour with the hours around it on the days before. */
export function volumeCheck({ sources, hourly, firstMs, progress, now }: VolumeDeps): Check {
  const startedMs = now()
  let judgedMs: number | undefined
  let found: readonly SystemProblem[] = []
  return {
    name: 'the volume of sources',
    async run() {
      const hourMs = Math.floor((now() - SETTLE_MS) / HOUR_MS) * HOUR_MS - HOUR_MS
      if (hourMs === judgedMs) return found
      judgedMs = hourMs
      found = []
      // An hour in which Caracal was down for a while, or caught up with what had waited, says nothing about the source.
      if (hourMs < startedMs) return found
      const [counts, first, places] = await Promise.all([
        hourly(hourMs - MOST_DAYS * DAY_MS - HOUR_MS, hourMs + HOUR_MS),
        firstMs(),
        progress(),
      ])
      const waiting = new Set(places.filter(({ inFlight, backlogBytes }) => inFlight + backlogBytes > 0).map(({ id }) => id))
      found = sources().flatMap(({ id, volume_alarm, drop_off_minutes }) => {
        const firstOfSource = first.get(id)
        if (!volume_alarm || firstOfSource === undefined) return []
        const text = anomaly(counts.get(id) ?? new Map(), hourMs, firstOfSource, {
          // A source that sends nothing is reported by its own alarm, if it has one.
          isZeroSilence: drop_off_minutes !== undefined,
          isWaiting: waiting.has(id),
        })
        return text === undefined ? [] : [systemProblem('SourceVolume', id, `Source ${id} ${text}`)]
      })
      return found
    },
  }
}

function anomaly(
  hours: ReadonlyMap<number, number>,
  hourMs: number,
  firstMs: number,
  { isZeroSilence, isWaiting }: { readonly isZeroSilence: boolean; readonly isWaiting: boolean },
): string | undefined {
  const days = pastDays(hours, hourMs, firstMs)
  if (days.length < LEAST_DAYS) return undefined
  // One exceptional day among them, an outage or a flood, does not count.
  const low = days.map((day) => day.low).sort((a, b) => a - b)[1]!
  const high = days.map((day) => day.high).sort((a, b) => b - a)[1]!
  const n = hours.get(hourMs) ?? 0
  const isMore = n > high * FACTOR && n > high + LEAST_MORE
  const isLess = low >= LEAST_USUAL && n * FACTOR < low && !isWaiting && !(n === 0 && isZeroSilence)
  if (!isMore && !isLess) return undefined
  const from = new Date(hourMs).toISOString().slice(0, 16)
  return `sent ${n} records in the hour from ${from}Z, far ${isMore ? 'more' : 'fewer'} than usual: around that hour on the previous ${days.length} days it was between ${low} and ${high} an hour`
}

/** The fewest and most records of the same hour and its neighbours, for each day of which all of them are known. */
function pastDays(hours: ReadonlyMap<number, number>, hourMs: number, firstMs: number): { low: number; high: number }[] {
  const days: { low: number; high: number }[] = []
  for (let day = 1; day <= MOST_DAYS; day++) {
    // The neighbours allow for daylight saving time and for jobs that are not quite punctual.
    const around = [-1, 0, 1].map((by) => hourMs - day * DAY_MS + by * HOUR_MS)
    if (around[0]! < firstMs) break
    const counts = around.map((ms) => hours.get(ms) ?? 0)
    days.push({ low: Math.min(...counts), high: Math.max(...counts) })
  }
  return days
}
