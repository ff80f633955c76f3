import { offsetSeconds } from './time.ts'

/** Seconds east of UTC at a local time, given as seconds since 1970 on that zone's clocks. */
export type ZoneOffset = (local: number) => number

const DAY = 86_400

/** Offsets change on a quarter of an hour. */
const STEP = 900

/** Maximum number of offsets remembered for a zone; consecutive records usually need the same. */
const MAX_REMEMBERED = 10_000

/**
 * The offsets of a zone of the IANA database, as Node knows them, or of a fixed offset (`+02:00`, `Z`); `undefined` if there is no such
 * zone. A local time that occurs twice counts as the first; one that is skipped counts with the offset after it.
 */
export function zoneOffset(zone: string): ZoneOffset | undefined {
  const fixed = offsetSeconds(zone, 0)
  if (!Number.isNaN(fixed)) return () => fixed
  const utcOffset = ianaOffset(zone)
  if (!utcOffset) return undefined
  const known = new Map<number, number>()
  return (local) => {
    if (Number.isNaN(local)) return Number.NaN
    const step = Math.floor(local / STEP)
    const remembered = known.get(step)
    if (remembered !== undefined) return remembered
    const before = utcOffset(local - DAY)
    const offset = utcOffset(step * STEP - before) === before ? before : utcOffset(local + DAY)
    if (known.size >= MAX_REMEMBERED) known.clear()
    known.set(step, offset)
    return offset
  }
}

/** Seconds east of UTC at a time in seconds since 1970. */
function ianaOffset(zone: string): ((seconds: number) => number) | undefined {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
  } catch {
    return undefined
  }
  return (seconds) => {
    const name = format.formatToParts(seconds * 1000).find(({ type }) => type === 'timeZoneName')?.value ?? ''
    const [, sign, hours = 0, minutes = 0, rest = 0] = /([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(name) ?? []
    return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(rest))
  }
}
