import type { Kysely } from 'kysely'
import type { AlertCount, AlertCounts, AlertFilter, AlertPlace } from '../model/alert-filter.ts'
import { alertRows, alertsOfFilter, judgeOf, MAX_READ, placeOf, READ_AT_ONCE } from './alert-list.ts'
import { storedAlert } from './alerts.ts'
import type { StateTables } from './tables.ts'

/** Most rules and owners that are listed. */
const MOST_VALUES = 20

const FACETS = ['severity', 'status', 'rule_id', 'owner'] as const

type Facet = (typeof FACETS)[number]

/** Number of alerts that are alike in all facets. */
type Group = Readonly<Record<Facet, string | null>> & { readonly count: number }

/**
 * How many opened alerts meet a filter, by severity, status, rule and owner. Counts of one of these ignore the filter for it. If a filter
 * has parts that the database cannot judge, only the newest alerts are counted, and `complete` is false if there are more.
 */
export async function countAlerts(db: Kysely<StateTables>, filter: AlertFilter): Promise<AlertCounts> {
  const { severities = [], statuses = [], ruleId, owner, ...rest } = filter
  const isIn = (wanted: readonly string[]) => (value: string | null) => wanted.length === 0 || wanted.includes(value as string)
  const wants: Readonly<Record<Facet, (value: string | null) => boolean>> = {
    severity: isIn(severities),
    status: isIn(statuses),
    rule_id: (value) => ruleId === undefined || value === ruleId,
    owner: (value) => owner === undefined || value === owner,
  }
  const { groups, complete } = await groupsOf(db, rest)
  const fits = (group: Group, except?: Facet) => FACETS.every((facet) => facet === except || wants[facet](group[facet]))
  const countsBy = (facet: Facet) =>
    summed(
      groups.filter((group) => fits(group, facet)),
      facet,
    )
  return {
    total: groups.filter((group) => fits(group)).reduce((total, { count }) => total + count, 0),
    severities: countsBy('severity'),
    statuses: countsBy('status'),
    rules: countsBy('rule_id').slice(0, MOST_VALUES),
    owners: countsBy('owner').slice(0, MOST_VALUES),
    complete,
  }
}

async function groupsOf(db: Kysely<StateTables>, filter: AlertFilter): Promise<{ groups: Group[]; complete: boolean }> {
  const fits = judgeOf(filter)
  if (!fits) return { groups: await grouped(db, filter), complete: true }
  const groups: Group[] = []
  let before: AlertPlace | undefined
  for (let read = 0; read < MAX_READ; read += READ_AT_ONCE) {
    const rows = await alertRows(db, filter, { before, limit: READ_AT_ONCE })
    for (const row of rows) {
      const alert = storedAlert(row)
      before = placeOf(alert)
      if (fits(alert)) groups.push({ ...row, count: 1 })
    }
    if (rows.length < READ_AT_ONCE) return { groups, complete: true }
    await new Promise(setImmediate)
  }
  return { groups, complete: false }
}

async function grouped(db: Kysely<StateTables>, filter: AlertFilter): Promise<Group[]> {
  const rows = await alertsOfFilter(db, filter)
    .select(FACETS)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .groupBy(FACETS)
    .execute()
  return rows.map((row) => ({ ...row, count: Number(row.count) }))
}

function summed(groups: readonly Group[], facet: Facet): AlertCount[] {
  const counts = new Map<string | null, number>()
  for (const group of groups) counts.set(group[facet], (counts.get(group[facet]) ?? 0) + group.count)
  return [...counts]
    .map(([value, count]) => ({ value, count }))
    .sort((a, b) => b.count - a.count || String(a.value).localeCompare(String(b.value)))
}
