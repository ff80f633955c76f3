import type { TableSpec } from '../../model/column.ts'
import type { Replay, ReplayPart } from '../../model/replay.ts'
import { countLettersSql, lettersPage, lettersSql } from '../../pipeline/rejudge/letters.ts'
import type { Page } from '../../pipeline/rejudge/page.ts'
import { countSql, eventsPage, eventsSql } from '../../pipeline/rejudge/stored-events.ts'
import { DEAD_LETTERS, eventTable, REPLAYED, SIGNALS } from '../../pipeline/rows.ts'
import { Refused } from '../../util/errors.ts'
import type { OpenContent } from '../open-content.ts'
import { schemaOf } from '../path.ts'

/** The lake as a replay uses it. */
export interface ReplayLake {
  /** Rows are JSON array texts. */
  readonly query: (sql: string, maxRows: number) => Promise<readonly string[]>
  readonly ensure: (spec: TableSpec) => Promise<void>
  /** Writes everything committed to the lake. */
  readonly flush: () => Promise<void>
}

/** Maximum number of records in a page. The limit for letters is lower, since each may have 64 KiB. */
const EVENTS = 1000
const LETTERS = 100

/** What the replay has to process. */
export async function planOf({ ask, createdMs }: Replay, content: OpenContent, lake: ReplayLake): Promise<ReplayPart[]> {
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
export async function nextPage(replay: Replay, content: OpenContent, lake: ReplayLake): Promise<Page | undefined> {
  const { id, ask, createdMs, parts = [], cursor } = replay
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
  const rows = await some(EVENTS, (limit) => lake.query(eventsSql(schema, ask, after, limit), limit))
  return rows.length > 0 ? eventsPage(id, schema, rows, part) : undefined
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
