import { type SystemProblem, systemProblem } from '../../model/system-problem.ts'
import type { Lake } from '../../stages/store/lake.ts'
import type { Check } from '../checks/check.ts'
import { dailySql, hasValue, recentSql } from './carried.ts'
import type { LogTypeReads } from './reads.ts'

const MINUTE_MS = 60_000
/** Time after the start, when there is other work. */
const FIRST_MS = 10 * MINUTE_MS
const EVERY_MS = 360 * MINUTE_MS
/** While a field is missing, and after a failure. */
const AGAIN_MS = 30 * MINUTE_MS
/** Time limit of one query, in milliseconds. */
const QUERY_MS = 20_000
const MAX_TABLES = 100_000
/** Maximum number of fields per query. */
const MAX_FIELDS = 40
/** Least number of days with events before the last 24 hours. */
const LEAST_DAYS = 3
/** Least number of events with the field that its share on the days before lets one expect in the last 24 hours. */
const LEAST_EXPECTED = 20
const SHOWN_FIELDS = 5
const SHOWN_RULES = 10

export interface BlindDeps {
  /** The fields that the rules in force read. */
  readonly reads: () => readonly LogTypeReads[]
  readonly lake: Pick<Lake, 'query'>
  /** Epoch ms. */
  readonly now: () => number
}

/** A field that events of a log type no longer have. */
interface Missing {
  readonly logType: string
  /** Its names with dots between them. */
  readonly field: string
  /** Events of the last 24 hours, and days before on which events had it. */
  readonly events: number
  readonly days: number
}

/** Finds fields that rules read and that events of their log type had until yesterday. The lake is queried in the background. */
export function blindRuleCheck({ reads, lake, now }: BlindDeps): Check & { readonly settled: () => Promise<void> } {
  let missing: readonly Missing[] = []
  let dueMs = now() + FIRST_MS
  let looking: Promise<void> | undefined

  async function look(): Promise<void> {
    const nowMs = now()
    dueMs = nowMs + AGAIN_MS
    const found: Missing[] = []
    let isWhole = true
    const stored = await storedColumns(lake)
    for (const log of reads()) {
      const names = stored.get(log.table)
      // Log types without any event.
      if (!names) continue
      try {
        const columns = log.columns.filter(({ name }) => names.has(name))
        found.push(...(await missingOf({ ...log, columns }, lake, nowMs)))
      } catch {
        // A busy lake: what was known of the log type stays until it answers.
        isWhole = false
        found.push(...missing.filter(({ logType }) => logType === log.logType))
      }
    }
    missing = found
    if (isWhole && found.length === 0) dueMs = nowMs + EVERY_MS
  }

  return {
    name: 'the fields that rules read',
    run() {
      if (now() >= dueMs)
        looking ??= look()
          .catch(() => {})
          .finally(() => {
            looking = undefined
          })
      return missing.length === 0 ? [] : problemsOf(missing, reads())
    },
    settled: async () => looking,
  }
}

/** The columns of the tables of events that exist, by table. */
async function storedColumns(lake: Pick<Lake, 'query'>): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const sql =
    "SELECT table_name, groupArray(column_name) FROM information_schema.columns WHERE table_schema = 'logs' GROUP BY table_name"
  const { rows } = await lake.query(sql, { timeoutMs: QUERY_MS, maxRows: MAX_TABLES })
  return new Map(rows.map((row) => JSON.parse(row) as [string, string[]]).map(([table, names]) => [table, new Set(names)]))
}

async function missingOf(log: LogTypeReads, lake: Pick<Lake, 'query'>, nowMs: number): Promise<Missing[]> {
  const fields = log.fields.flatMap(({ path }) => {
    const condition = hasValue(path, log.columns)
    return condition === undefined ? [] : [{ field: path.join('.'), condition }]
  })
  const missing: Missing[] = []
  for (let at = 0; at < fields.length; at += MAX_FIELDS) {
    const some = fields.slice(at, at + MAX_FIELDS)
    const [recent] = await rowsOf(recentSql(log, conditionsOf(some), nowMs), lake)
    const absent = some.filter((_, i) => recent?.[i] === 0)
    if (absent.length === 0) continue
    const days = await rowsOf(dailySql(log, conditionsOf(absent), nowMs), lake)
    for (const [i, { field }] of absent.entries()) {
      const lost = lostOf(days.map(([day = 0, events = 0, ...counts]) => ({ day, events, having: counts[i] ?? 0 })))
      if (lost) missing.push({ logType: log.logType, field, ...lost })
    }
  }
  return missing
}

function conditionsOf(fields: readonly { readonly condition: string }[]): string[] {
  return fields.map(({ condition }) => condition)
}

async function rowsOf(sql: string, lake: Pick<Lake, 'query'>): Promise<number[][]> {
  const { rows } = await lake.query(sql, { timeoutMs: QUERY_MS })
  return rows.map((row) => (JSON.parse(row) as (number | string)[]).map(Number))
}

/** Whether the field was there on every day before, often enough that its absence now is not chance. */
function lostOf(days: readonly { day: number; events: number; having: number }[]): { events: number; days: number } | undefined {
  const now = days.find(({ day }) => day === 0)
  const before = days.filter(({ day }) => day > 0)
  if (!now || now.having > 0 || before.length < LEAST_DAYS || before.some(({ having }) => having === 0)) return undefined
  const sum = (of: (day: (typeof before)[number]) => number) => before.reduce((total, day) => total + of(day), 0)
  const expected = (now.events * sum(({ having }) => having)) / sum(({ events }) => events)
  return expected >= LEAST_EXPECTED ? { events: now.events, days: before.length } : undefined
}

/** One problem for each log type, about those of its missing fields that rules still read. */
function problemsOf(missing: readonly Missing[], reads: readonly LogTypeReads[]): SystemProblem[] {
  return reads.flatMap(({ logType, fields }) => {
    const lost = missing.filter((one) => one.logType === logType)
    const read = fields.filter(({ path }) => lost.some(({ field }) => field === path.join('.')))
    const [first] = lost
    if (!first || read.length === 0) return []
    const rules = [...new Set(read.flatMap(({ ruleIds }) => ruleIds))].sort()
    const names = listed(
      read.map(({ path }) => path.join('.')),
      SHOWN_FIELDS,
    )
    const message = `None of the ${first.events} events of ${logType} in the last 24 hours has ${names}, which events had on each of the ${first.days} days before. Rules that read it: ${listed(rules, SHOWN_RULES)}`
    return [systemProblem('RuleBlind', logType, message, { covers: rules })]
  })
}

function listed(names: readonly string[], most: number): string {
  const more = names.length > most ? ` and ${names.length - most} more` : ''
  return `${names.slice(0, most).join(', ')}${more}`
}
