import type { TableRows } from '../model/lookup.ts'
import type { Judged } from '../stages/alert/step.ts'
import type { Retrying } from './faults.ts'
import type { Remembering } from './generation.ts'
import { judgeBatch } from './judge.ts'
import type { EncodedBatch } from './steps.ts'

/**
 * Judges what a maker has left: the findings are then the same as if all rules had judged the batch together. Rejects only for disk
 * failures and when stopping.
 */
export async function judgeLeft<Rows>(
  batch: EncodedBatch<Rows>,
  remembering: Remembering | undefined,
  retrying: Retrying,
  tables: TableRows,
): Promise<EncodedBatch<Rows>> {
  const { left, ...made } = batch
  if (!left || !remembering) return batch
  const {
    judged,
    cacheWrites,
    cacheLimits = [],
  } = await judgeBatch({ groups: left.groups }, remembering.detectors, retrying, tables)
  const placeOf = ({ event }: Judged) => (event && left.placeOf.get(event)) ?? -1
  const rankOf = ({ finding }: Judged) => remembering.rankOf(finding.ruleId)
  return {
    ...made,
    judged: [...made.judged, ...judged].sort((a, b) => placeOf(a) - placeOf(b) || rankOf(a) - rankOf(b)),
    cacheWrites: [...made.cacheWrites, ...cacheWrites],
    cacheLimits: [...(made.cacheLimits ?? []), ...cacheLimits],
  }
}
