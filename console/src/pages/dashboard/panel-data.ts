import type { ChartSeries } from '../../parts/time-chart.tsx'

/** What a query found, for a panel. */
export interface PanelData {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly unknown[])[]
}

/** A name with its number. */
export interface Count {
  readonly name: string
  readonly value: number
}

/** Lines of one chart. */
const MOST_SERIES = 6

export function isNumber(type: string): boolean {
  return /^(?:Nullable\(|LowCardinality\()*U?(?:Int|Float|Decimal)/.test(type)
}

export function isTime(type: string): boolean {
  return /^(?:Nullable\(|LowCardinality\()*Date/.test(type)
}

/** The number of a panel: the first one of the first row. */
export function numberOf({ columns, rows }: PanelData): number | undefined {
  const place = columns.findIndex(({ type }) => isNumber(type))
  const value = rows[0]?.[place]
  return place < 0 || value === null || value === undefined ? undefined : Number(value)
}

/** Names from the first column that is no number, numbers from the first that is, the greatest first. Equal names are added up. */
export function countsOf({ columns, rows }: PanelData): Count[] {
  const [name, value] = [columns.findIndex(({ type }) => !isNumber(type)), columns.findIndex(({ type }) => isNumber(type))]
  if (value < 0) return []
  const sums = new Map<string, number>()
  for (const row of rows) {
    const key = name < 0 ? '' : textOf(row[name])
    sums.set(key, (sums.get(key) ?? 0) + (Number(row[value]) || 0))
  }
  return [...sums].map(([name, value]) => ({ name, value })).sort((a, b) => b.value - a.value)
}

/**
 * Lines over the first column with times. Each column with numbers is a line; with a column of texts, each text is a line of the first
 * numbers.
 */
export function linesOf({ columns, rows }: PanelData): { times: number[]; series: ChartSeries[] } | undefined {
  const time = columns.findIndex(({ type }) => isTime(type))
  const numbers = columns.flatMap(({ type }, i) => (isNumber(type) ? [i] : []))
  if (time < 0 || numbers.length === 0) return undefined
  const text = columns.findIndex(({ type }, i) => i !== time && !isNumber(type) && !isTime(type))
  const times = [...new Set(rows.map((row) => secondsOf(row[time])))].filter((at) => !Number.isNaN(at)).sort((a, b) => a - b)
  const places = new Map(times.map((at, i) => [at, i]))
  const lines = new Map<string, (number | null)[]>()
  const put = (name: string, row: readonly unknown[], column: number) => {
    const place = places.get(secondsOf(row[time]))
    if (place === undefined) return
    const line = lines.get(name) ?? times.map(() => null)
    lines.set(name, line)
    line[place] = (line[place] ?? 0) + (Number(row[column]) || 0)
  }
  for (const row of rows)
    if (text >= 0) put(textOf(row[text]), row, numbers[0]!)
    else for (const column of numbers) put(columns[column]!.name, row, column)
  const total = (values: readonly (number | null)[]) => values.reduce<number>((sum, value) => sum + (value ?? 0), 0)
  const ranked = [...lines].map(([name, values]) => ({ name, values })).sort((a, b) => total(b.values) - total(a.values))
  return { times, series: ranked.slice(0, MOST_SERIES) }
}

export function textOf(value: unknown): string {
  if (value === null || value === undefined || value === '') return '(none)'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function secondsOf(value: unknown): number {
  return Date.parse(String(value)) / 1000
}
