import { type SystemProblem, systemProblem } from '../../model/system-problem.ts'
import type { TableStatus } from '../../stages/enrich/keeper-types.ts'
import type { LiveStatus } from '../../stages/enrich/live/live-status.ts'

/** Tables whose content is refused, too old or missing because of an error. */
export function tableProblems(tables: readonly TableStatus[]): SystemProblem[] {
  return [...contentProblems(tables), ...tables.flatMap(({ name, live }) => (live ? liveProblems(name, live) : []))]
}

/** A single failure is often over by the next attempt, a minute later. */
const MANY_FAILURES = 3

function contentProblems(tables: readonly TableStatus[]): SystemProblem[] {
  return tables.flatMap((table) => {
    const { name, health, lastError, isRefused, failures } = table
    if (isRefused) return [systemProblem('TableRefused', name, refusedText(table))]
    if (health === 'failing') return [systemProblem('TableStale', name, `Table ${name} has no content: ${lastError}`)]
    if (health === 'stale') return [systemProblem('TableStale', name, staleText(table))]
    // A file or key that is missing from the beginning has not failed: nobody has put it there yet.
    if (failures < MANY_FAILURES || health === 'missing') return []
    const message = `Table ${name}: ${failures} refreshes in a row failed, most recently because ${lastError}`
    return [systemProblem('TableRefreshFailed', name, message)]
  })
}

function refusedText({ name, version, lastError, nextRefreshMs }: TableStatus): string {
  const inForce = version === undefined ? 'nothing is in force' : `version ${version} stays in force`
  // A table that is never fetched has nothing to accept.
  const advice =
    nextRefreshMs === undefined ? '' : `. If only a check is wrong about it: \`caracal tables refresh ${name} --accept\``
  return `Table ${name}: its content cannot be used, and ${inForce}: ${lastError}${advice}`
}

function staleText({ name, lastSuccessMs, lastError }: TableStatus): string {
  const which =
    lastSuccessMs === undefined ? 'shipped with its definition' : `current at ${new Date(lastSuccessMs).toISOString()}`
  return `Table ${name} is stale: its content, ${which}, is older than its alarm period${lastError === undefined ? '' : `, since its refresh fails: ${lastError}`}`
}

/** What keeps a live table from being filled. */
function liveProblems(
  name: string,
  { isKeyRefused, breaker, lastError, leftToday, askedToday, waiting }: LiveStatus,
): SystemProblem[] {
  if (isKeyRefused) return [systemProblem('TableKeyRefused', name, `Table ${name} is no longer filled: ${lastError}`)]
  if (leftToday === 0 && waiting > 0) {
    const message = `Table ${name}: its budget of ${askedToday} addresses for this day is spent, and ${waiting} are waiting`
    return [systemProblem('TableBudgetSpent', name, message)]
  }
  return breaker === 'closed'
    ? []
    : [systemProblem('TableStale', name, `Table ${name} is not filled at the moment: ${lastError}`)]
}
