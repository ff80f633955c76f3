import { expect } from 'vitest'
import { SOURCES } from './roaming.ts'
import { SIZE } from './size.ts'
import type { World } from './world.ts'

/** Asks the state of a world. */
export type Ask = (sql: string) => Promise<readonly Record<string, unknown>[]>

const WAITING = [
  'SELECT count(*) AS n FROM outbox',
  'SELECT count(*) AS n FROM flushes',
  'SELECT count(*) AS n FROM batches WHERE done = 0',
  "SELECT count(*) AS n FROM deliveries WHERE state = 'pending'",
]

/** Resolves when nothing waits to be judged, stored or sent, and each sequence that began has ended in one of two ways. */
export async function settled(world: World, ask: Ask): Promise<void> {
  const open = async () => {
    try {
      // Before, since an alert waits to be sent once it is certain; and after, since signals wait to be stored.
      const before = await undecided(world)
      const counts: number[] = []
      for (const sql of WAITING) counts.push(Number((await ask(sql))[0]!['n']))
      return [before, ...counts, await undecided(world)]
    } catch (error) {
      return String(error)
    }
  }
  await expect.poll(open, { timeout: 900_000, interval: 250 }).toEqual([0, ...WAITING.map(() => 0), 0])
}

/** Number of refusals of which it is not certain yet whether the account returned or is gone. */
async function undecided(world: World): Promise<number> {
  const { caracal } = await world.active()
  const of = (rule: string) => `countIf(p_rule_id = 'Test.${rule}')`
  const ended = SIZE.hasAbsence ? `${of('Refused')} - ${of('Returned')} - ${of('Gone')}` : '0'
  return Number((await caracal.query(`SELECT ${ended} FROM signals.correlation_signals`))[0]![0])
}

/** An absence is found when its time has passed, in between batches, and its window begins then. */
const BEGUN_BY_CLOCK: Readonly<Record<string, object>> = { 'Test.Gone': { window_start_ms: null, window_end_ms: null } }

const LISTED = SOURCES.map((source) => `'${source}'`).join(', ')

/** What the state has decided, all of which depends on the order of batches; `as`: how it is compared. */
const IN_STATE: Readonly<Record<string, { readonly sql: string; readonly as: (row: Record<string, unknown>) => unknown }>> = {
  // Windows that did not become alerts included.
  alerts: {
    sql: "SELECT alert_id, rule_id, group_key, window_number, window_start_ms, window_end_ms, opened, status, severity, event_count, body FROM alerts WHERE rule_id LIKE 'Test.%'",
    as: (row) => ({
      ...row,
      ...BEGUN_BY_CLOCK[String(row['rule_id'])],
      body: withoutPlaces(withoutLatency(String(row['body']))),
    }),
  },
  cache: { sql: 'SELECT entry FROM rule_cache', as: ({ entry }) => withoutExpiry(String(entry)) },
  tables: {
    sql: 'SELECT table_name, entry, version, since_ms, created_ms, written_ms, read_ms, position FROM written_rows',
    as: (row) => row,
  },
  // What is left of an absence depends on when its time was found to have passed.
  correlation: {
    sql: "SELECT id, rule_id, wake_ms, value FROM correlation WHERE rule_id <> 'Test.Gone'",
    as: (row) => ({ ...row, value: String(row['value']).replace(/"[0-9a-f]{20,}"/g, '""') }),
  },
  counters: { sql: `SELECT source_id, outcome, reason, n FROM counters WHERE source_id IN (${LISTED})`, as: (row) => row },
}

/** A row id is made of where its record was read: in a topic, or in the spool of a data folder. */
const withoutPlaces = (text: string) => text.replace(/(p_row_id\\*":\\*")[0-9a-f]+/g, '$1')

/** How long an alert took. */
const withoutLatency = (text: string) => JSON.stringify({ ...(JSON.parse(text) as object), latencyMs: null })

/** Entries expire a fixed time after they were written. */
function withoutExpiry(text: string): unknown {
  const [key, entry] = JSON.parse(text) as [string, string]
  return [key, { ...(JSON.parse(entry) as object), expires: null, written: null }]
}

const EVENT = 'p_source_id, toString(at), user, ok, ip, toString(p_parse_time), toString(p_enrichment)'
/** Of a correlation rule it names the signals. */
const CONTEXT = `replaceRegexpAll(toString(p_alert_context), '"p_row_id": ?"[0-9a-f]+"', '')`
/** A response of the API contains at most 10,000 rows. */
const SOME_ALERTS = 'substring(p_alert_id, 1, 2)'
const IN_LAKE: Readonly<Record<string, string>> = {
  rows: `SELECT p_source_id, count(), uniqExact(p_row_id), sum(cityHash64(${EVENT})) FROM logs.custom_login GROUP BY 1`,
  matches: `SELECT p_rule_id, ${SOME_ALERTS}, count(), uniqExact(p_row_id), sum(cityHash64(p_alert_id, ${EVENT}, toString(p_alert_context), p_alert_severity)) FROM matches.custom_login GROUP BY 1, 2`,
  signals: `SELECT p_rule_id, ${SOME_ALERTS}, count(), uniqExact(p_row_id), sum(cityHash64(p_alert_id, toString(p_event_time), p_source_id, p_alert_title, p_alert_severity, ${CONTEXT})) FROM signals.correlation_signals WHERE startsWith(p_rule_id, 'Test.') GROUP BY 1, 2`,
}

/** What was decided, by its kind: alerts, what rules and tables remember, counts, rows, matches, signals. Sorted. */
export async function decidedIn(world: World, ask: Ask): Promise<Record<string, string[]>> {
  const { caracal } = await world.active()
  const found: Record<string, string[]> = {}
  for (const [kind, { sql, as }] of Object.entries(IN_STATE))
    found[kind] = (await ask(sql)).map((row) => JSON.stringify(as(row), numbersAsText)).sort()
  for (const [kind, sql] of Object.entries(IN_LAKE))
    found[kind] = (await caracal.query(sql)).map((row) => JSON.stringify(row)).sort()
  found['sent'] = [...world.receiver.bodies.values()].flatMap(sent).sort()
  return found
}

/** An alert as its receiver saw it when it was opened. */
function sent(body: Record<string, unknown>): string[] {
  const { type, alertId, title, severity, dedup } = body
  return type === 'SYSTEM' ? [] : [JSON.stringify([alertId, title, severity, dedup])]
}

/** The two kinds of state return different types for whole numbers. */
const numbersAsText = (_: string, value: unknown) =>
  typeof value === 'number' || typeof value === 'bigint' ? String(value) : value

/** What only one of two outcomes has, by its kind; kinds without a difference are left out. */
export function differences(one: Record<string, string[]>, other: Record<string, string[]>): Record<string, object> {
  const without = (all: readonly string[] = [], others: readonly string[] = []) => {
    const has = new Set(others)
    return all.filter((text) => !has.has(text))
  }
  const found = Object.keys(one).map((kind) => {
    const [onlyOne, onlyOther] = [without(one[kind], other[kind]), without(other[kind], one[kind])]
    return [kind, { onlyOne, onlyOther, longer: one[kind]!.length - other[kind]!.length }] as const
  })
  return Object.fromEntries(
    found.filter(([, { onlyOne, onlyOther, longer }]) => onlyOne.length + onlyOther.length + Math.abs(longer) > 0),
  )
}
