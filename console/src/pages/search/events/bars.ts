import type { ChartSeries } from '../../../parts/time-chart.tsx'

export interface Bar {
  readonly name: string
  /** RFC 3339. */
  readonly start: string
  readonly events: number
}

export interface Bars {
  /** Seconds since 1970. */
  readonly times: readonly number[]
  readonly series: readonly ChartSeries[]
}

/** Names with a colour of their own. */
const MOST_SERIES = 6
const MOST_BARS = 200

/** Counts, in the order of time, as series with a place for each bar of the time, also for those without events. The most frequent name comes first. */
export function barsOf(bars: readonly Bar[], step: number, since: string, until: string): Bars {
  const starts = bars.map(({ start }) => Date.parse(start) / 1000)
  const times = timesOf(starts[0], step, Date.parse(since) / 1000, Date.parse(until) / 1000)
  const totals = new Map<string, number>()
  for (const { name, events } of bars) totals.set(name, (totals.get(name) ?? 0) + events)
  const ranked = [...totals].sort(([, a], [, b]) => b - a).map(([name]) => name)
  const own = ranked.length > MOST_SERIES ? ranked.slice(0, MOST_SERIES - 1) : ranked
  const names = own.length < ranked.length ? [...own, 'other'] : own
  const values = new Map(names.map((name) => [name, times.map(() => 0)]))
  for (const [i, { name, events }] of bars.entries()) {
    const place = Math.round((starts[i]! - times[0]!) / step)
    const list = values.get(own.includes(name) ? name : 'other')!
    if (place >= 0 && place < list.length) list[place]! += events
  }
  return { times, series: names.map((name) => ({ name, values: values.get(name)! })) }
}

/** The times of all bars. Those with events decide where bars begin: a step of weeks does not begin at a multiple of its seconds. */
function timesOf(known: number | undefined, step: number, since: number, until: number): number[] {
  const first = Math.floor(since / step) * step
  const begin = known === undefined ? first : known - Math.max(0, Math.ceil((known - since) / step)) * step
  const times: number[] = []
  for (let at = begin; at < until && times.length < MOST_BARS; at += step) times.push(at)
  return times
}
