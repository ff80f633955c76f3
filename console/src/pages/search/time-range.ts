/** A time range as it is in the page's URL: a span before now (`24h`), or times. */
export interface TimeRange {
  /** `15m`, `24h`, `7d`, or RFC 3339. */
  since?: string
  /** RFC 3339. Default: now. */
  until?: string
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

export const DEFAULT_SPAN = '24h'

/** Spans to choose from. */
export const SPANS: Readonly<Record<string, string>> = {
  '15m': 'Last 15 minutes',
  '1h': 'Last hour',
  '24h': 'Last day',
  '7d': 'Last week',
  '30d': 'Last month',
  '90d': 'Last three months',
  '365d': 'Last year',
  '3650d': 'All time',
}

export function isSpan(text: string): boolean {
  return /^\d{1,4}[mhd]$/.test(text)
}

/** Reads it; what is not understood is left out. */
export function readRange({ since, until }: Record<string, unknown>): TimeRange {
  const range: TimeRange = {}
  if (typeof since === 'string' && (isSpan(since) || isTime(since))) range.since = since
  if (typeof until === 'string' && isTime(until)) range.until = until
  return range
}

/** The time range alone, of whatever has one. */
export function rangeOf({ since, until }: TimeRange): TimeRange {
  return { ...(since !== undefined && { since }), ...(until !== undefined && { until }) }
}

/** Seconds of a span. */
export function spanSeconds(span: string): number {
  return (Number.parseInt(span, 10) * UNITS[span.at(-1)!]!) / 1000
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text))
}

/** The times of a range, RFC 3339. */
export function timesOf({ since = DEFAULT_SPAN, until }: TimeRange, nowMs: number): { since: string; until: string } {
  const end = until === undefined ? nowMs : Date.parse(until)
  const begin = isSpan(since) ? end - Number.parseInt(since, 10) * UNITS[since.at(-1)!]! : Date.parse(since)
  return { since: new Date(begin).toISOString(), until: new Date(end).toISOString() }
}

const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** In words, in the viewer's zone. */
export function rangeText({ since = DEFAULT_SPAN, until }: TimeRange): string {
  if (until === undefined && isSpan(since)) return SPANS[since] ?? `Last ${since}`
  const from = isSpan(since) ? `${since} before` : TIME.format(new Date(since))
  return `${from} – ${until === undefined ? 'now' : TIME.format(new Date(until))}`
}
