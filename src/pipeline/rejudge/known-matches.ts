import type { Rule } from '../../model/rule.ts'
import type { Judged } from '../../stages/alert/step.ts'
import { tableName } from '../../stages/store/ddl.ts'
import { isBefore } from '../../util/instant.ts'
import { SIGNALS } from '../rows.ts'
import { among } from './sql.ts'

/** Maximum number of row ids in a query. */
const AT_ONCE = 500

export interface KnownDeps {
  readonly rules: ReadonlyMap<string, Rule>
  /** Queries the lake. Rows are JSON array texts. */
  readonly query: (sql: string, maxRows: number) => Promise<readonly string[]>
  /** Writes everything committed to the lake. */
  readonly flush: () => Promise<void>
}

/**
 * Those of the matches that are already stored: a match is identified by its rule, the rule's version and its event's row id. Events are
 * committed together with their matches, so after a flush the lake has both.
 */
export async function knownMatches(judged: readonly Judged[], { rules, query, flush }: KnownDeps): Promise<ReadonlySet<Judged>> {
  const matches = judged.filter(({ finding, event }) => finding.kind === 'match' && event)
  const known = new Set<Judged>()
  const look = async (some: readonly Judged[]) => {
    const stored = await storedMatches(some, query)
    for (const item of some) if (isStored(item, rules, stored)) known.add(item)
  }
  await look(matches)
  const fresh = matches.filter((item) => !known.has(item))
  if (fresh.length === 0) return known
  await flush()
  await look(fresh)
  return known
}

/** A signal without a version is from a time when none was stored: it matches any. */
function isStored({ finding, event }: Judged, rules: ReadonlyMap<string, Rule>, stored: ReadonlySet<string>): boolean {
  const { ruleId } = finding
  return [null, rules.get(ruleId)?.version ?? null].some((version) =>
    stored.has(JSON.stringify([ruleId, version, event!.p_row_id])),
  )
}

async function storedMatches(matches: readonly Judged[], query: KnownDeps['query']): Promise<ReadonlySet<string>> {
  const stored = new Set<string>()
  for (let i = 0; i < matches.length; i += AT_ONCE) {
    const some = matches.slice(i, i + AT_ONCE)
    const events = some.map(({ event }) => event!)
    const times = events.map(({ p_event_time }) => p_event_time).sort((a, b) => (isBefore(a, b) ? -1 : 1))
    const ids = [...new Set(events.map(({ p_row_id }) => p_row_id))]
    const rules = [...new Set(some.map(({ finding }) => finding.ruleId))]
    const [from, to] = [times[0]!, times.at(-1)!].map((time) => `parseDateTime64BestEffort('${time}', 9, 'UTC')`)
    const where = [`p_event_time >= ${from}`, `p_event_time <= ${to}`, among('p_row_id', ids), among('p_rule_id', rules)]
    const sql = `SELECT DISTINCT p_rule_id, p_rule_version, p_row_id FROM ${tableName(SIGNALS)} WHERE ${where.join(' AND ')}`
    // No more than a few versions of each rule for each of the rows.
    for (const row of await query(sql, 1_000_000)) stored.add(JSON.stringify(JSON.parse(row)))
  }
  return stored
}
