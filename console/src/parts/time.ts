const UNITS: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000 * 365, 'y'],
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
]

/** How long ago, in one unit: `5 min`, `3 d`; `now` for less than a second. */
export function age(ms: number): string {
  const found = UNITS.find(([unit]) => Math.abs(ms) >= unit)
  if (!found) return 'now'
  return `${Math.floor(Math.abs(ms) / found[0])} ${found[1]}`
}

const LOCAL = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

/** In the viewer's zone and language. */
export function localTime(time: string): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? time : LOCAL.format(date)
}

/** UTC with the given precision, for hovering and copying. */
export function utcTime(time: string): string {
  return time.replace('T', ' ').replace(/Z$/, ' UTC')
}
