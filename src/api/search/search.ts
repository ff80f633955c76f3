import type { Engine } from '../../engine/engine.ts'
import type { Place } from '../timeline/sql.ts'
import { tableNameOf } from '../timeline/sql.ts'
import { type Ask, asker, eventsAt, type TimelineEvent } from '../timeline/timeline.ts'
import type { Filter } from './filters.ts'
import { distinctSql, histogramSql, type Part, placesSql, type Search, shownSql, stepOf, topSql, totalSql } from './sql.ts'
import { indexStatement, type Table, tablesOf } from './tables.ts'

export interface SearchAsk extends Search {
  readonly logTypes: readonly string[]
  readonly signal: AbortSignal
}

export interface Found {
  readonly events: readonly TimelineEvent[]
  readonly next: Place | undefined
  readonly histogram: Histogram | undefined
  /** What people can run themselves; empty if no table is read. */
  readonly sql: string
}

export interface Histogram {
  readonly stepSeconds: number
  readonly bars: readonly { readonly start: string; readonly logType: string; readonly events: number }[]
}

export interface FieldSummary {
  readonly total: number
  readonly present: number
  readonly distinct: number
  readonly top: readonly { readonly value: string; readonly events: number }[]
}

const MAX_BARS = 100_000
/** Events read at a time: their rows are whole. */
const MAX_AT_ONCE = 1000

/** The newest events that meet all filters, and how many there are over time. Everything is read through `engine.query`. */
export async function search(
  engine: Pick<Engine, 'query' | 'config'>,
  ask: SearchAsk,
  { withHistogram, ...part }: Part & { readonly withHistogram: boolean },
): Promise<Found> {
  const { limit } = part
  const query = asker(engine, ask.signal)
  const tables = await narrowed(query, await tablesOf(query, ask.logTypes, ask.filters), ask.filters)
  if (tables.length === 0) return { events: [], next: undefined, histogram: withHistogram ? empty(ask) : undefined, sql: '' }
  const { rows } = await query(placesSql(tables, ask, { ...part, limit: limit + 1 }), MAX_AT_ONCE + 1)
  const places = rows.slice(0, limit).map((row) => {
    const [time, rowId, logType] = JSON.parse(row) as [string, string, string]
    return { time, rowId, logType }
  })
  return {
    events: await eventsAt(query, places),
    next: rows.length > limit ? places.at(-1) : undefined,
    histogram: withHistogram ? await histogram(query, tables, ask) : undefined,
    sql: shownSql(tables, ask, limit),
  }
}

/** The SQL of a search, for a query that is saved. Empty if no log type can have such events. */
export async function searchSql(engine: Pick<Engine, 'query' | 'config'>, ask: SearchAsk, limit: number): Promise<string> {
  const tables = await tablesOf(asker(engine, ask.signal), ask.logTypes, ask.filters)
  return tables.length === 0 ? '' : shownSql(tables, ask, limit)
}

/** The most frequent values of a field among the events that meet all filters. */
export async function fieldSummary(
  engine: Pick<Engine, 'query' | 'config'>,
  ask: SearchAsk,
  field: string,
  limit: number,
): Promise<FieldSummary> {
  const query = asker(engine, ask.signal)
  const all = await tablesOf(query, ask.logTypes, [...ask.filters, { field, op: 'exists', values: [] }])
  const tables = await narrowed(query, all, ask.filters)
  if (tables.length === 0) return { total: 0, present: 0, distinct: 0, top: [] }
  const total = await numberOf(query, totalSql(tables, ask))
  const top = (await query(topSql(tables, ask, field, limit), limit)).rows.map((row) => {
    const [value, events] = JSON.parse(row) as [string, number | string]
    return { value, events: Number(events) }
  })
  const [row = '[0,0]'] = (await query(distinctSql(tables, ask, field), 1)).rows
  const [distinct, present] = JSON.parse(row) as [number, number]
  return { total, present: Number(present), distinct: Number(distinct), top }
}

/** Only tables in which the index of indicators knows the values that are searched for. */
async function narrowed(query: Ask, tables: readonly Table[], filters: readonly Filter[]): Promise<Table[]> {
  let left = [...tables]
  for (const filter of filters) {
    const statement = indexStatement(filter)
    if (!statement || left.length === 0) continue
    const { rows } = await query(statement, MAX_BARS)
    const known = new Set(rows.map((row) => tableNameOf((JSON.parse(row) as [string])[0])))
    left = left.filter(({ name }) => known.has(name))
  }
  return left
}

async function histogram(query: Ask, tables: readonly Table[], ask: SearchAsk): Promise<Histogram> {
  const stepSeconds = stepOf(ask.range)
  const { rows } = await query(histogramSql(tables, ask, stepSeconds), MAX_BARS)
  const bars = rows.map((row) => {
    const [logType, start, events] = JSON.parse(row) as [string, string, number | string]
    return { logType, start, events: Number(events) }
  })
  return { stepSeconds, bars }
}

function empty({ range }: SearchAsk): Histogram {
  return { stepSeconds: stepOf(range), bars: [] }
}

async function numberOf(query: Ask, statement: Parameters<Ask>[0]): Promise<number> {
  const [row = '[0]'] = (await query(statement, 1)).rows
  return Number((JSON.parse(row) as [number | string])[0])
}
