import { type SystemProblem, systemProblem } from '../../model/system-problem.ts'
import type { TableStatus } from '../../stages/enrich/keeper-types.ts'

/** Tables whose content is refused, too old or missing because of an error. */
export function tableProblems(tables: readonly TableStatus[]): SystemProblem[] {
  return tables.flatMap(({ name, health, lastError, isRefused }) => {
    if (isRefused) return [systemProblem('TableRefused', name, `Table ${name}: its content cannot be used: ${lastError}`)]
    if (health !== 'stale' && health !== 'failing') return []
    const why = lastError ?? 'its content is older than its alarm period'
    return [systemProblem('TableStale', name, `Table ${name} is ${health}: ${why}`)]
  })
}
