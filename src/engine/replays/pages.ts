import type { TableSpec } from '../../model/column.ts'
import type { FoundSpan, Replay, ReplayCursor, ReplayPart, RetroReplay } from '../../model/replay.ts'
import type { CompiledSchema } from '../../model/schema.ts'
import { countLettersSql, lettersPage, lettersSql } from '../../pipeline/rejudge/letters.ts'
import type { Page } from '../../pipeline/rejudge/page.ts'
import { countSql, eventsPage, eventsSql, foundSql } from '../../pipeline/rejudge/stored-events.ts'
import { DEAD_LETTERS, eventTable, REPLAYED, SIGNALS } from '../../pipeline/rows.ts'
import { Refused } from '../../util/errors.ts'
import type { OpenContent } from '../open-content.ts'
import { schemaOf } from '../path.ts'

/** The lake as a replay uses it. */
export interface ReplayLake {
  /** Rows are JSON array texts. `onRead` gets the number of stored rows that were read for them. */
  readonly query: (sql: string, maxRows: number, onRead?: (rows: number) => void) => Promise<readonly string[]>
  readonly ensure: (spec: TableSpec) => Promise<void>
  /** Writes everything committed to the lake. */
  readonly flush: () => Promise<void>
}

/** Maximum number of records in a page. The limit for letters is lower, since each may have 64 KiB. */
const EVENTS = 1000
/** Number of spans in a query; more if they overlap. */
const SPANS = 200
const LETTERS = 100

/** What the replay has to process. */
export async function planOf({ ask, createdMs, found }: Replay, content: OpenContent, lake: ReplayLake): Promise<ReplayPart[]> {
  await lake.flush()
  for (const spec of [SIGNALS, DEAD_LETTERS, REPLAYED]) await lake.ensure(spec)
  if (ask.kind === 'dead-letters') {
    const rows = await lake.query(countLettersSql(ask, createdMs), 10_000)
    return rows.map((row) => JSON.parse(row) as [string, number | string]).map(([name, n]) => ({ name, records: Number(n) }))
  }
  const stored = new Set(
    (await lake.query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'logs'", 100_000)).map(
      (row) => (JSON.parse(row) as [string])[0],
    ),
  )
  const parts: ReplayPart[] = []
  for (const name of ask.logTypes) {
    const schema = schemaOf(name, content.loaded)
    // A log type without any records has no table.
    if (!schema || !stored.has(schema.table)) continue
    await lake.ensure(eventTable(schema))
    if (found) {
      parts.push({ name, records: found[name]?.length ?? 0 })
      continue
    }
    const [row] = await lake.query(countSql(schema, ask), 1)
    parts.push({ name, records: Number((JSON.parse(row!) as [number | string])[0]) })
  }
  return parts
}

/** Why a part cannot be read now. */
export class PartGone extends Error {}

/**
 * The page at the replay's cursor; `undefined` at the end of its part. Rejects with `PartGone` if the content no longer has a place for it.
 */
export async function nextPage(
  replay: Replay,
  content: OpenContent,
  lake: ReplayLake,
  onRead: (rows: number) => void = () => {},
): Promise<Page | undefined> {
  const { id, ask, createdMs, parts = [], cursor, found } = replay
  const { part, after } = cursor
  const { name } = parts[part]!
  const { generation, loaded } = content
  if (ask.kind === 'dead-letters') {
    if (!generation.sources.has(name))
      throw new PartGone(`source '${name}' is no longer configured, so it is unknown how to read its records`)
    const rows = await some(LETTERS, (limit) => lake.query(lettersSql(name, ask, createdMs, after, limit), limit))
    return rows.length > 0 ? lettersPage(id, rows, part, generation.parser) : undefined
  }
  const schema = schemaOf(name, loaded)
  if (!schema) throw new PartGone(`log type '${name}' no longer has a schema`)
  const rows =
    ask.kind === 'retro-match'
      ? await foundRows(ask, schema, found?.[name] ?? [], after, lake, onRead)
      : await some(EVENTS, (limit) => lake.query(eventsSql(schema, ask, after, limit), limit))
  return rows.length > 0 ? eventsPage(id, schema, rows, part) : undefined
}

/** The next events with one of the values, only from the spans in which they were seen. */
async function foundRows(
  { field }: RetroReplay,
  schema: CompiledSchema,
  found: readonly FoundSpan[],
  after: ReplayCursor['after'],
  lake: ReplayLake,
  onRead: (rows: number) => void,
): Promise<readonly string[]> {
  const afterSecond = after ? Math.floor(Date.parse(after.time) / 1000) : 0
  for (const spans of apart(found.filter(([, , to]) => to >= afterSecond))) {
    const rows = await some(EVENTS, (limit) => lake.query(foundSql(schema, field, spans, after, limit), limit, onRead))
    if (rows.length > 0) return rows
  }
  return []
}

/** The spans, ordered by their beginning, in parts that do not overlap in time: events are read in the order of time. */
function apart(spans: readonly FoundSpan[]): FoundSpan[][] {
  const parts: FoundSpan[][] = []
  let end = Number.NEGATIVE_INFINITY
  for (const span of spans) {
    const [, from, to] = span
    const last = parts.at(-1)
    if (last && (from <= end || last.length < SPANS)) last.push(span)
    else parts.push([span])
    end = Math.max(end, to)
  }
  return parts
}

/** Large rows are read a few at a time: a result has a limit in bytes. */
async function some(limit: number, read: (limit: number) => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await read(limit)
  } catch (error) {
    if (!(error instanceof Refused) || limit === 1) throw error
    return some(Math.ceil(limit / 10), read)
  }
}
