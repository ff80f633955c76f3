import type { Event } from '../model/event.ts'
import type { CacheWrite, RuleError } from '../model/match.ts'
import type { Judged } from '../stages/alert/step.ts'
import type { ParsedEvents } from '../stages/parse/parser.ts'
import { messageOf } from '../util/errors.ts'
import { failureOf, isolate, type Retrying, wholeOrApart } from './faults.ts'
import { internalLetter } from './internal-letter.ts'
import type { JudgedBatch } from './steps.ts'

/** Attempts to finish parts of a batch: each is a transaction that is rolled back. */
const ATTEMPTS = 400

/** What a batch is made of, as far as one part can be at fault. */
type Part =
  | { readonly kind: 'event'; readonly group: ParsedEvents; readonly event: Event }
  | { readonly kind: 'finding'; readonly judged: Judged }
  | { readonly kind: 'cache'; readonly write: CacheWrite }

export interface Committing<Kept> {
  /** What fails, as a clause for people: `state cannot be written`. */
  readonly what: string
  readonly keep: (part: JudgedBatch) => Promise<Kept>
  /** Does what `keep` does and takes it back: rejects when `keep` would. */
  readonly attempt: (part: JudgedBatch) => Promise<void>
  /** Gets a sentence on each thing that could not be kept in any form. */
  readonly onDropped: (message: string) => void
  readonly retrying: Retrying
}

/**
 * Keeps a batch whole, or what is left of it without the parts at fault: an event becomes a dead letter, a finding an error of its
 * rule, a cache entry is dropped. Rejects for the disk, when stopping, and when not even an empty batch can be kept.
 */
export async function commitBatch<Kept>(
  sourceId: string,
  judged: JudgedBatch,
  { what, keep, attempt, onDropped, retrying }: Committing<Kept>,
): Promise<Kept> {
  const apart = async () => keep(await withoutFaults(sourceId, judged, attempt, onDropped))
  return wholeOrApart(what, () => keep(judged), apart, retrying)
}

async function withoutFaults(
  sourceId: string,
  judged: JudgedBatch,
  attempt: Committing<unknown>['attempt'],
  onDropped: Committing<unknown>['onDropped'],
): Promise<JudgedBatch> {
  await attempt(composed(judged, []))
  const parts: Part[] = [
    ...judged.groups.flatMap((group) => group.events.map((event): Part => ({ kind: 'event', group, event }))),
    ...judged.judged.map((item): Part => ({ kind: 'finding', judged: item })),
    ...judged.cacheWrites.map((write): Part => ({ kind: 'cache', write })),
  ]
  const { fine, atFault } = await isolate(parts, (some) => attempt(composed(judged, some)), ATTEMPTS)
  const letters = atFault.flatMap(({ item, error }) =>
    item.kind === 'event' ? [internalLetter(item.event, sourceId, error)] : [],
  )
  const errors = atFault.flatMap(({ item, error }): Part[] =>
    item.kind === 'finding' ? [{ kind: 'finding', judged: errorOf(item.judged, error) }] : [],
  )
  for (const { item, error } of atFault)
    if (item.kind === 'cache') onDropped(`The rules' cache could not keep its entry '${item.write.key}': ${messageOf(error)}`)
  const rest = composed(judged, [...fine, ...errors])
  const finished = { ...rest, deadLetters: [...rest.deadLetters, ...letters] }
  const failure = await failureOf(() => attempt(finished))
  if (failure === undefined) return finished
  const lost = finished.judged.length
  onDropped(
    `${lost} matches and rule errors of a batch of source '${sourceId}' could not be kept together: ${messageOf(failure)}`,
  )
  return { ...finished, judged: [] }
}

/** The batch with these parts only; what was dead-lettered and counted before stays. */
function composed(
  { received, deadLetters, guessed, filtered, unknownFields, raw, groups, cacheLimits = [] }: JudgedBatch,
  parts: readonly Part[],
): JudgedBatch {
  const events = new Map<ParsedEvents, Event[]>(groups.map((group) => [group, []]))
  const judged: Judged[] = []
  const cacheWrites: CacheWrite[] = []
  for (const part of parts) {
    if (part.kind === 'event') events.get(part.group)!.push(part.event)
    else if (part.kind === 'finding') judged.push(part.judged)
    else cacheWrites.push(part.write)
  }
  const kept = [...events].flatMap(([{ schema }, some]) => (some.length > 0 ? [{ schema, events: some }] : []))
  return { received, deadLetters, guessed, filtered, unknownFields, raw, groups: kept, judged, cacheWrites, cacheLimits }
}

function errorOf(item: Judged, error: unknown): Judged {
  const { ruleId, event } = item.finding
  const message = `what the rule returned for event ${item.event?.p_row_id ?? '(none)'} cannot be kept: ${messageOf(error)}`
  const finding: RuleError = { kind: 'error', ruleId, event, cause: 'return_type', message: message.toWellFormed() }
  return { ...item, finding }
}
