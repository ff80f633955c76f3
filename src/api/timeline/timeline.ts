import type { Engine } from '../../engine/engine.ts'
import type { StoredAlert } from '../../model/alert.ts'
import type { QueryResult } from '../../stages/store/lake.ts'
import { ApiError } from '../errors.ts'
import { ExactJson, exactObject } from '../exact-json.ts'
import { sightedOf } from './sightings.ts'
import {
  alertsSql,
  countsSql,
  type Place,
  placesSql,
  type Range,
  rowsSql,
  type Sighted,
  type Statement,
  seenSql,
  sightingsSql,
} from './sql.ts'
import { membersOf, summaryOf } from './summary.ts'
import type { Term } from './terms.ts'

/** Spellings in log types: more than that is not one indicator. */
const MAX_SIGHTINGS = 5000
const MAX_COUNTS = 100_000
export const MAX_ALERTS = 50
const DAY_MS = 86_400_000
/** Longer ranges are counted by day. */
const MAX_HOURLY_MS = 31 * DAY_MS

export interface TimelineAsk {
  readonly terms: readonly Term[]
  readonly range: Range
  /** Where the page begins; only the first page has counts and alerts. */
  readonly after: Place | undefined
  readonly limit: number
  readonly signal: AbortSignal
}

export interface TimelineEvent extends Place {
  readonly logType: string
  readonly source: string
  readonly summary: string
  /** The exact JSON text of the row, without nulls. */
  readonly event: string
}

export interface Overview {
  readonly values: readonly string[]
  readonly bucket: 'hour' | 'day'
  readonly counts: readonly { readonly logType: string; readonly start: string; readonly events: number }[]
  readonly alerts: readonly { readonly alert: StoredAlert; readonly matches: number }[]
  readonly alertsCut: boolean
  /** Without events in the time range: where and when it was seen otherwise, the latest first. */
  readonly elsewhere: readonly { readonly logType: string; readonly first: string; readonly last: string }[]
}

export interface Timeline {
  readonly overview: Overview | undefined
  readonly events: readonly TimelineEvent[]
  readonly next: Place | undefined
}

/**
 * What the logs say about an indicator. The index of indicators names the log types, spellings and seconds, so that each table is read
 * only there. Everything is read through `engine.query`, whose guard decides what may be read.
 */
export async function timelineOf(engine: Engine, { terms, range, after, limit, signal }: TimelineAsk): Promise<Timeline> {
  const ask = asker(engine, signal)
  const index = await ask(sightingsSql(terms, range), MAX_SIGHTINGS, { fresh: true })
  if (index.truncated) {
    throw new ApiError(
      400,
      'bad_request',
      `the index has more than ${MAX_SIGHTINGS} spellings of it: give its --kind or a shorter time`,
    )
  }
  const sighted = sightedOf(index.rows, range)
  const overview = after ? undefined : await overviewOf(engine, ask, sighted, { terms, range })
  const page = sighted.length === 0 ? [] : (await ask(placesSql(sighted, range, after, limit + 1), limit + 1)).rows
  const places = page.slice(0, limit).map((row) => {
    const [time, rowId, logType] = JSON.parse(row) as [string, string, string]
    return { time, rowId, logType }
  })
  return { overview, events: await eventsAt(ask, places), next: page.length > limit ? places.at(-1) : undefined }
}

export type Ask = (statement: Statement, maxRows: number, options?: { readonly fresh?: boolean }) => Promise<QueryResult>

/** Queries that together have the time of one. */
export function asker(engine: Pick<Engine, 'query' | 'config'>, signal: AbortSignal): Ask {
  const end = Date.now() + engine.config.query_timeout_ms
  return ({ sql, params }, maxRows, { fresh = false } = {}) =>
    engine.query(sql, { params, maxRows, signal, fresh, timeoutMs: Math.max(1, end - Date.now()) })
}

async function overviewOf(
  engine: Engine,
  ask: Ask,
  sighted: readonly Sighted[],
  { terms, range }: Pick<TimelineAsk, 'terms' | 'range'>,
): Promise<Overview> {
  const bucket = range.untilMs - range.sinceMs <= MAX_HOURLY_MS ? 'hour' : 'day'
  const values = [...new Set(sighted.flatMap((one) => [...one.values.values()].flat()))].sort()
  if (sighted.length === 0) {
    const seen = await ask(seenSql(terms), MAX_SIGHTINGS)
    const elsewhere = seen.rows.map((row) => {
      const [logType, first, last] = JSON.parse(row) as [string, string, string]
      return { logType, first, last }
    })
    return { values, bucket, counts: [], alerts: [], alertsCut: false, elsewhere }
  }
  const counts = (await ask(countsSql(sighted, range, bucket), MAX_COUNTS)).rows.map((row) => {
    const [logType, start, events] = JSON.parse(row) as [string, string, number]
    return { logType, start, events: Number(events) }
  })
  const named = await alertIds(ask, sighted, range)
  const alerts = []
  for (const { id, matches } of named.slice(0, MAX_ALERTS)) {
    // An alert that was deleted, or that waits for its threshold, is not there.
    const alert = await engine.read.alert(id)
    if (alert?.alertId === id) alerts.push({ alert, matches })
  }
  return { values, bucket, counts, alerts, alertsCut: named.length > MAX_ALERTS, elsewhere: [] }
}

async function alertIds(ask: Ask, sighted: readonly Sighted[], range: Range): Promise<{ id: string; matches: number }[]> {
  const { rows } = await ask(alertsSql(sighted, range, MAX_ALERTS + 1), MAX_ALERTS + 1)
  return rows.map((row) => {
    const [id, matches] = JSON.parse(row) as [string, number]
    return { id, matches: Number(matches) }
  })
}

/** The events at these places, in their order. */
export async function eventsAt(ask: Ask, places: readonly (Place & { readonly logType: string })[]): Promise<TimelineEvent[]> {
  const found = new Map<string, TimelineEvent>()
  for (const logType of new Set(places.map((place) => place.logType))) {
    const wanted = places.filter((place) => place.logType === logType)
    const { columns, rows } = await ask(rowsSql(logType, wanted), wanted.length)
    for (const row of rows) {
      const members = membersOf(columns, row)
      const values = new Map(members.map(([{ name }, text]) => [name, text]))
      const textAt = (name: string) => JSON.parse(values.get(name) ?? '""') as string
      const rowId = textAt('p_row_id')
      const event = exactObject(Object.fromEntries(members.map(([{ name }, text]) => [name, new ExactJson(text)])))
      const source = textAt('p_source_label') || textAt('p_source_id')
      found.set(`${logType} ${rowId}`, {
        time: textAt('p_event_time'),
        rowId,
        logType,
        source,
        summary: summaryOf(members),
        event,
      })
    }
  }
  return places.flatMap(({ logType, rowId }) => found.get(`${logType} ${rowId}`) ?? [])
}
