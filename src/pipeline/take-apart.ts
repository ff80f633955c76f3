import type { CacheWrite, RuleError } from '../model/match.ts'
import type { Judged } from '../stages/alert/step.ts'
import { messageOf } from '../util/errors.ts'
import { failureOf, isolate, type Retrying, wholeOrApart } from './faults.ts'
import type { JudgedBatch } from './steps.ts'

/** Attempts to finish parts of a batch: each is a transaction that is rolled back. */
const ATTEMPTS = 400

/** The parts of a batch that can be at fault; events were already checked. */
type Part = { readonly kind: 'finding'; readonly judged: Judged } | { readonly kind: 'cache'; readonly write: CacheWrite }

export interface Committing<Batch, Kept> {
  /** What fails, as a clause for display: `state cannot be written`. */
  readonly what: string
  readonly keep: (part: Batch) => Promise<Kept>
  /** Does what `keep` does and rolls it back: rejects if `keep` would. */
  readonly attempt: (part: Batch) => Promise<void>
  /** Called with a sentence on each part that could not be stored in any form. */
  readonly onDropped: (message: string) => void
  readonly retrying: Retrying
}

/**
 * Stores a batch whole, or what is left of it without the parts at fault: a finding becomes an error of its rule, a cache entry is dropped.
 * Rejects for disk failures, when stopping, and if not even an empty batch can be stored.
 */
export async function commitBatch<Batch extends JudgedBatch, Kept>(
  sourceId: string,
  judged: Batch,
  { what, keep, attempt, onDropped, retrying }: Committing<Batch, Kept>,
): Promise<Kept> {
  const apart = async () => keep(await withoutFaults(sourceId, judged, attempt, onDropped))
  return wholeOrApart(what, () => keep(judged), apart, retrying)
}

async function withoutFaults<Batch extends JudgedBatch>(
  sourceId: string,
  judged: Batch,
  attempt: Committing<Batch, unknown>['attempt'],
  onDropped: Committing<Batch, unknown>['onDropped'],
): Promise<Batch> {
  await attempt(composed(judged, []))
  const parts: Part[] = [
    ...judged.judged.map((item): Part => ({ kind: 'finding', judged: item })),
    ...judged.cacheWrites.map((write): Part => ({ kind: 'cache', write })),
  ]
  const { fine, atFault } = await isolate(parts, (some) => attempt(composed(judged, some)), ATTEMPTS)
  const errors = atFault.flatMap(({ item, error }): Part[] =>
    item.kind === 'finding' ? [{ kind: 'finding', judged: errorOf(item.judged, error) }] : [],
  )
  for (const { item, error } of atFault)
    if (item.kind === 'cache') onDropped(`The rule cache could not store its entry '${item.write.key}': ${messageOf(error)}`)
  const finished = composed(judged, [...fine, ...errors])
  const failure = await failureOf(() => attempt(finished))
  if (failure === undefined) return finished
  const lost = finished.judged.length
  onDropped(`${lost} matches and rule errors of a batch of source '${sourceId}' could not be stored: ${messageOf(failure)}`)
  return { ...finished, judged: [] }
}

/** The batch with only these findings and cache entries. */
function composed<Batch extends JudgedBatch>(batch: Batch, parts: readonly Part[]): Batch {
  const judged = parts.flatMap((part) => (part.kind === 'finding' ? [part.judged] : []))
  const cacheWrites = parts.flatMap((part) => (part.kind === 'cache' ? [part.write] : []))
  return { ...batch, judged, cacheWrites }
}

function errorOf(item: Judged, error: unknown): Judged {
  const { ruleId, event } = item.finding
  const message = `what the rule returned for event ${item.event?.p_row_id ?? '(none)'} cannot be stored: ${messageOf(error)}`
  const finding: RuleError = { kind: 'error', ruleId, event, cause: 'return_type', message: message.toWellFormed() }
  return { ...item, finding }
}
