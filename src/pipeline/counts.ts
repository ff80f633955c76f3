import type { Count } from '../model/batch.ts'
import type { Encoded, Parsed } from './steps.ts'

type Counted = 'received' | 'deadLetters' | 'filtered' | 'guessed' | 'stored'

/** A batch's records by outcome: received is the sum of stored, filtered and dead-lettered. */
export function countsOf(
  sourceId: string,
  { received, deadLetters, filtered, guessed, stored: byLogType }: Pick<Parsed & Encoded<unknown>, Counted>,
): Count[] {
  const all = [...byLogType.values()].reduce((sum, n) => sum + n, 0)
  // An event that could not be finished is not stored, even if its log type was guessed.
  const guesses = [...byLogType].flatMap(([logType, events]) => {
    const n = Math.min(guessed.get(logType) ?? 0, events)
    return n > 0 ? [[logType, n] as const] : []
  })
  const stored = all - guesses.reduce((sum, [, n]) => sum + n, 0)
  const reasons = new Map<string, number>()
  for (const { reason } of deadLetters) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  return [
    { sourceId, outcome: 'received', reason: '', n: received },
    { sourceId, outcome: 'stored', reason: '', n: stored },
    ...guesses.map(([logType, n]): Count => ({ sourceId, outcome: 'stored', reason: logType, n })),
    ...[...filtered].map(([filter, n]): Count => ({ sourceId, outcome: 'filtered', reason: filter, n })),
    ...[...reasons].map(([reason, n]): Count => ({ sourceId, outcome: 'dead_lettered', reason, n })),
  ]
}
