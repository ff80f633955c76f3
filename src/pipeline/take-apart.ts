import type { RecordedBatch } from '../model/batch.ts'
import type { Event } from '../model/event.ts'
import type { CacheWrite, RuleError } from '../model/match.ts'
import type { DeadLetter } from '../model/outcome.ts'
import type { Judged } from '../stages/alert/step.ts'
import type { Detector } from '../stages/detect/language.ts'
import { detectEvents } from '../stages/detect/step.ts'
import type { Enricher } from '../stages/enrich/table.ts'
import type { ParsedEvents } from '../stages/parse/parser.ts'
import { messageOf, StorageError } from '../util/errors.ts'
import { type JudgedBatch, judgedOf, type ParsedBatch, refusedLetter } from './judge.ts'
import { sift } from './sift.ts'

/** Attempts to judge parts of a batch: each may cost the start of a child. */
const JUDGE_ATTEMPTS = 40
/** Attempts to finish parts of a batch: each is a transaction that is rolled back. */
const FINISH_ATTEMPTS = 400

/**
 * Judges a batch that could not be judged as a whole, a log type and a detector at a time: an event that no table can be joined to becomes a
 * dead letter, and events that a detector cannot judge cost each of its rules an error. Rejects only for the disk.
 */
export async function judgeApart(
  { received, groups, deadLetters, guessed, filtered, unknownFields, raw }: ParsedBatch,
  source: string,
  { enricher, detectors }: { readonly enricher: Enricher; readonly detectors: readonly Detector[] },
): Promise<JudgedBatch> {
  const letters: DeadLetter[] = [...deadLetters]
  const kept: ParsedEvents[] = []
  const judged: Judged[] = []
  const cacheWrites = new Map<string, CacheWrite>()
  for (const { schema, events } of groups) {
    const join = (part: readonly Event[]) => outcomeOf(async () => enricher.enrich(schema, part as Event[]))
    const { good, bad } = await sift(events, join, events.length * 2)
    for (const { item, error } of bad) letters.push(refusedLetter(item, source, error))
    const findings: Judged[] = []
    for (const detector of detectors) {
      const rest = await sift(
        good,
        (part) => outcomeOf(async () => findings.push(...(await judgePart(part, detector)))),
        JUDGE_ATTEMPTS,
      )
      findings.push(...unjudged(rest.bad, schema.name, detector))
    }
    const order = new Map(good.map((event, i) => [event, i]))
    judged.push(...findings.sort((a, b) => order.get(a.event!)! - order.get(b.event!)!))
    if (good.length > 0) kept.push({ schema, events: [...good] })

    async function judgePart(part: readonly Event[], detector: Detector): Promise<readonly Judged[]> {
      const writes: CacheWrite[] = []
      const found = await detectEvents(schema.name, part, [detector], (some) => writes.push(...some))
      for (const write of writes) cacheWrites.set(write.key, write)
      return found.map((finding) => judgedOf(finding, part))
    }
  }
  return {
    received,
    groups: kept,
    deadLetters: letters,
    guessed,
    filtered,
    unknownFields,
    raw,
    judged,
    cacheWrites: [...cacheWrites.values()],
  }
}

/** One error for each rule that did not see the events, about the first of them. */
function unjudged(
  bad: readonly { readonly item: Event; readonly error: unknown }[],
  logType: string,
  detector: Detector,
): Judged[] {
  const [first] = bad
  if (!first) return []
  const message = `${bad.length} events of ${logType} were not judged, the first of them ${first.item.p_row_id}: ${messageOf(first.error)}`
  return detector
    .ruleIds(logType)
    .map((ruleId) => judgedOf({ kind: 'error', ruleId, event: 0, cause: 'crash', message }, [first.item]))
}

/** What a batch is made of, as far as one part can be at fault. */
type Part =
  | { readonly kind: 'event'; readonly group: ParsedEvents; readonly event: Event }
  | { readonly kind: 'finding'; readonly judged: Judged }
  | { readonly kind: 'cache'; readonly write: CacheWrite }

/**
 * What is left of a batch whose effects could not be made or kept: an event at fault becomes a dead letter, a finding at fault
 * an error of its rule, a cache entry at fault is dropped. What is dropped goes to `onDropped`, a sentence each. `attempt` makes the effects and keeps them for a trial. Rejects for the disk, and with
 * the error of `attempt` when not even an empty batch can be finished.
 */
export async function finishApart(
  batch: RecordedBatch,
  judged: JudgedBatch,
  attempt: (judged: JudgedBatch) => Promise<void>,
  onDropped: (message: string) => void,
): Promise<JudgedBatch> {
  await attempt(composed(judged, []))
  const parts: Part[] = [
    ...judged.groups.flatMap((group) => group.events.map((event): Part => ({ kind: 'event', group, event }))),
    ...judged.judged.map((item): Part => ({ kind: 'finding', judged: item })),
    ...judged.cacheWrites.map((write): Part => ({ kind: 'cache', write })),
  ]
  const { good, bad } = await sift(parts, (some) => outcomeOf(() => attempt(composed(judged, some))), FINISH_ATTEMPTS)
  const letters = bad.flatMap(({ item, error }) =>
    item.kind === 'event' ? [refusedLetter(item.event, batch.sourceId, error)] : [],
  )
  const errors = bad.flatMap(({ item, error }): Part[] =>
    item.kind === 'finding' ? [{ kind: 'finding', judged: refusedFinding(item.judged, error) }] : [],
  )
  for (const { item, error } of bad)
    if (item.kind === 'cache') onDropped(`The rules' cache could not keep its entry '${item.write.key}': ${messageOf(error)}`)
  const rest = composed(judged, [...good, ...errors])
  const finished = { ...rest, deadLetters: [...rest.deadLetters, ...letters] }
  const failure = await outcomeOf(() => attempt(finished))
  if (failure === undefined) return finished
  const lost = finished.judged.length
  onDropped(
    `${lost} matches and rule errors of a batch of source '${batch.sourceId}' could not be kept together: ${messageOf(failure)}`,
  )
  return { ...finished, judged: [] }
}

/** The batch with these parts only; what was dead-lettered and counted before stays. */
function composed(
  { received, deadLetters, guessed, filtered, unknownFields, raw, groups }: JudgedBatch,
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
  return { received, deadLetters, guessed, filtered, unknownFields, raw, groups: kept, judged, cacheWrites }
}

function refusedFinding(item: Judged, error: unknown): Judged {
  const { ruleId, event } = item.finding
  const message = `what the rule returned for event ${item.event?.p_row_id ?? '(none)'} cannot be kept: ${messageOf(error)}`
  const finding: RuleError = { kind: 'error', ruleId, event, cause: 'return_type', message: message.toWellFormed() }
  return { ...item, finding }
}

/** `undefined`, or what the call failed with. Rejects for the disk: that is nobody's fault. */
async function outcomeOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    await call()
    return undefined
  } catch (error) {
    if (error instanceof StorageError) throw error
    return error ?? new Error('unknown')
  }
}
