/** A span of time: a number of units. */
export interface Span {
  readonly count: number
  readonly unit: Unit
}

export const UNITS = ['Second', 'Minute', 'Hour', 'Day', 'Week', 'Month', 'Quarter', 'Year'] as const
export type Unit = (typeof UNITS)[number]

/** https://docs.snowflake.com/en/sql-reference/functions-date-time: the spellings of date and time parts. */
const SPELLINGS: Readonly<Record<Unit, string>> = {
  Second: 's sec secs second seconds',
  Minute: 'm mi min mins minute minutes',
  Hour: 'h hh hr hrs hour hours',
  Day: 'd dd day days dayofmonth',
  Week: 'w wk week weeks weekofyear',
  Month: 'mm mon mons month months',
  Quarter: 'q qtr qtrs quarter quarters',
  Year: 'y yy yyy yyyy yr yrs year years',
}

const BY_SPELLING: ReadonlyMap<string, Unit> = new Map(
  UNITS.flatMap((unit) => SPELLINGS[unit].split(' ').map((spelling): [string, Unit] => [spelling, unit])),
)

/** The unit for the name of a date or time part. */
export function unitOf(word: string): Unit | undefined {
  return BY_SPELLING.get(word.toLowerCase())
}

/** `1 day`, `90m`, `1 day, 2 hours`; a bare number is seconds. Undefined if it is invalid. */
export function readSpans(text: string): Span[] | undefined {
  const pieces = text.trim().split(/\s*,\s*/)
  const spans = pieces.map((piece): Span | undefined => {
    const [, count, word] = /^(\d{1,12})\s*([a-z]*)$/i.exec(piece) ?? []
    const unit = word === '' ? 'Second' : unitOf(word ?? '')
    return count && unit ? { count: Number(count), unit } : undefined
  })
  return spans.every((span) => span !== undefined) ? spans : undefined
}

/** Spans as the engine's intervals; `sign` precedes each. */
export function intervalSql(spans: readonly Span[], sign: '+' | '-'): string {
  return spans.map(({ count, unit }) => ` ${sign} toInterval${unit}(${count})`).join('')
}
