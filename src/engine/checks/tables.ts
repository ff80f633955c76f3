import { type SystemProblem, systemProblem } from '../../model/system-problem.ts'
import type { TableStatus } from '../../stages/enrich/keeper-types.ts'
import type { LiveStatus } from '../../stages/enrich/live/live-status.ts'

/** Tables whose content is refused, too old or missing because of an error. */
export function tableProblems(tables: readonly TableStatus[]): SystemProblem[] {
  return [...contentProblems(tables), ...tables.flatMap(({ name, live }) => (live ? liveProblems(name, live) : []))]
}

function contentProblems(tables: readonly TableStatus[]): SystemProblem[] {
  return tables.flatMap(({ name, health, lastError, isRefused }) => {
    if (isRefused) return [systemProblem('TableRefused', name, `Table ${name}: its content cannot be used: ${lastError}`)]
    if (health !== 'stale' && health !== 'failing') return []
    const why = lastError ?? 'its content is older than its alarm period'
    return [systemProblem('TableStale', name, `Table ${name} is ${health}: ${why}`)]
  })
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
