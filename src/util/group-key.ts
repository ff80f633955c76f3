import { hash16 } from './hash.ts'

/** The group of a rule's live matches with one dedup string. */
export function matchGroupKey(ruleId: string, dedup: string): string {
  return hash16('match', ruleId, dedup)
}
