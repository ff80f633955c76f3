import type { Findings } from '../../pipeline/steps.ts'
import type { QueryRows } from '../../stages/detect/scheduled/rows.ts'
import { queryKey } from '../pipeline-calls.ts'

/** What rules made of the rows of a query. */
export interface JudgedRows {
  readonly matches: number
}

/** What is stored with the results of a run: that its due time is done. A run that was asked for leaves the schedule as it is. */
export function metaOf({ query, dueMs, isAsked }: QueryRows): ReadonlyMap<string, string> {
  return isAsked ? new Map() : new Map([[queryKey(query), String(dueMs)]])
}

export function judgedRows({ judged }: Findings): JudgedRows {
  return { matches: judged.filter(({ finding }) => finding.kind === 'match').length }
}
