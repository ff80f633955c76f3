import { UsageError } from './exit.ts'

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A time as users enter it, as RFC 3339: a date, a time, or a span before now. Throws `UsageError` for anything else. */
export function momentOf(option: string, text: string, nowMs = Date.now()): string {
  const span = /^(\d{1,6})([mhd])$/.exec(text)
  if (span) return new Date(nowMs - Number(span[1]) * UNITS[span[2]!]!).toISOString()
  const isTime = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text)
  const ms = isTime ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms))
    throw new UsageError(
      `${option} '${text}' is no time: give 2024-03-01, 2024-03-01T10:00:00Z, or a span before now such as 24h`,
    )
  return new Date(ms).toISOString()
}

/** A time to come, as RFC 3339: a date, a time, or a span from now. Throws `UsageError` for anything else. */
export function laterOf(option: string, text: string, nowMs = Date.now()): string {
  const span = /^(\d{1,6})([mhd])$/.exec(text)
  if (span) return new Date(nowMs + Number(span[1]) * UNITS[span[2]!]!).toISOString()
  try {
    return momentOf(option, text, nowMs)
  } catch {
    throw new UsageError(`${option} '${text}' is no time: give 2024-03-01, 2024-03-01T10:00:00Z, or a span from now such as 24h`)
  }
}
