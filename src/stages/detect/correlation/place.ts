import { type Gathered, keysOf, type OpenHit } from './gather.ts'
import { compareHits, type Hit } from './hit.ts'
import { type CorrelationMatch, toMatch } from './match.ts'
import { type CorrelationRule, canBeSpoilt } from './rule.ts'
import { type Waiting, type WalkClock, walk } from './walk.ts'

/** What is remembered for one rule and join key (or for one rule, if its members are not all joined on everything). */
export interface Place {
  readonly version: string
  readonly key: readonly string[] | undefined
  /** In order. */
  readonly hits: readonly OpenHit[]
  /** Join key as JSON → the last hit used up by a match. */
  readonly done: ReadonlyMap<string, Hit>
  /** Matches that end before this are not searched for again. */
  readonly settledMs: number
  /** Hits had to be dropped, so matches may be missing or wrong. */
  readonly isCut: boolean
}

/**
 * Number of hits kept per member, unless it needs more than half of them. The latest are kept; one member never displaces
 * another.
 */
export const MAX_HITS = 1000

/** The result of a step for a place. */
export interface PlaceStep {
  readonly place: Place
  readonly matches: readonly CorrelationMatch[]
  /** When to check it again; `undefined` if there is nothing to remember. */
  readonly wakeMs: number | undefined
  /**
   * Hits dropped in this step because there were too many, and those that came too late because what they belong to is forgotten.
   */
  readonly cut: number
  readonly late: number
}

/** `settledMs`: matches that end before are not searched for. */
export function emptyPlace(
  rule: CorrelationRule,
  key: readonly string[] | undefined,
  settledMs: number = Number.MIN_SAFE_INTEGER,
): Place {
  return { version: rule.version, key, hits: [], done: new Map(), settledMs, isCut: false }
}

/** Adds hits, finds the matches that are certain, and forgets hits that can no longer be part of a match. */
export function stepPlace(rule: CorrelationRule, place: Place, added: Gathered['hits'], clock: WalkClock): PlaceStep {
  const late = countLate(rule, place, added, clock)
  const hits = mergeHits(place.hits, added)
  const { matches, done, waiting } = walkPlace(rule, { ...place, hits }, clock)
  const bounds = boundsOf(rule, newestOf({ hits, done }), waiting, clock)
  const kept = keep(rule, hits, done, place.key, bounds.keepMs)
  const stepped: Place = {
    ...place,
    hits: kept.hits,
    done: new Map([...done].filter(([, { timeMs }]) => timeMs >= bounds.keepMs)),
    settledMs: Math.max(place.settledMs, bounds.settledMs),
    isCut: place.isCut || kept.cut > 0,
  }
  return { place: stepped, matches, wakeMs: waiting?.dueMs ?? endOf(rule, stepped, clock), cut: kept.cut, late }
}

function countLate(rule: CorrelationRule, place: Place, added: Gathered['hits'], clock: WalkClock): number {
  const { keepMs } = boundsOf(rule, newestOf(place), undefined, clock)
  const fromMs = Math.max(keepMs, place.settledMs)
  return added.filter(({ timeMs }) => timeMs < fromMs).length
}

function newestOf({ hits, done }: Pick<Place, 'hits' | 'done'>): number {
  let newest = hits.at(-1)?.timeMs ?? Number.MIN_SAFE_INTEGER
  for (const { timeMs } of done.values()) newest = Math.max(newest, timeMs)
  return newest
}

/** Merges both lists in order; a signal that is already present is not added again. */
export function mergeHits(have: readonly OpenHit[], added: readonly OpenHit[]): OpenHit[] {
  const all = added.length > 0 ? [...have, ...added].sort(compareHits) : have
  return all.filter((hit, at) => at === 0 || compareHits(hit, all[at - 1]!) !== 0)
}

/** The certain matches of all join keys of a place. */
export function walkPlace(
  rule: CorrelationRule,
  { key, hits, done, settledMs: beforeMs, isCut }: Omit<Place, 'version'>,
  clock: WalkClock,
) {
  const matches: CorrelationMatch[] = []
  const after = new Map(done)
  let waiting: Waiting | undefined
  for (const own of key ? [{ key, hits }] : keysOf(rule, hits)) {
    const name = JSON.stringify(own.key)
    const walked = walk(rule, own.hits, clock, { done: done.get(name), beforeMs })
    for (const found of walked.found) matches.push(toMatch(rule, own.key, found, isCut))
    if (walked.done) after.set(name, walked.done)
    if (walked.waiting) waiting = earlier(walked.waiting, waiting)
  }
  return { matches, done: after, waiting }
}

function earlier(a: Waiting, b: Waiting | undefined): Waiting {
  return b ? { dueMs: Math.min(a.dueMs, b.dueMs), timeMs: Math.min(a.timeMs, b.timeMs) } : a
}

const HOUR = 3_600_000

/**
 * How much is kept, counted from the newest hit. Sources that are read in parallel may be an hour apart. If nothing can spoil a
 * match, forgetting hits can only lose matches. Otherwise it could resurrect matches that were spoilt, so settled time is not
 * evaluated again, and everything needed for the rest is kept: two look-backs, since a match is one long and a signal that spoils
 * it may be one earlier.
 */
function boundsOf(
  rule: CorrelationRule,
  newestMs: number,
  waiting: Waiting | undefined,
  { nowMs, graceMs }: WalkClock,
): { readonly settledMs: number; readonly keepMs: number } {
  const { lookbackMs } = rule
  // A signal with a time in the future must not make all others late.
  const openMs = Math.min(newestMs, nowMs) - Math.min(lookbackMs, HOUR) - graceMs
  if (!canBeSpoilt(rule)) return { settledMs: Number.MIN_SAFE_INTEGER, keepMs: openMs - lookbackMs }
  const settledMs = Math.min(openMs, waiting?.timeMs ?? Number.POSITIVE_INFINITY)
  return { settledMs, keepMs: settledMs - 2 * lookbackMs }
}

function keep(
  rule: CorrelationRule,
  hits: readonly OpenHit[],
  done: ReadonlyMap<string, Hit>,
  key: readonly string[] | undefined,
  fromMs: number,
): { readonly hits: readonly OpenHit[]; readonly cut: number } {
  const used = key && done.get(JSON.stringify(key))
  const left = rule.members.map(({ min }) => Math.max(MAX_HITS, 2 * min))
  const kept: OpenHit[] = []
  let cut = 0
  for (let at = hits.length - 1; at >= 0; at--) {
    const hit = hits[at]!
    if (hit.timeMs < fromMs || (used && compareHits(hit, used) <= 0)) break
    if (left[hit.member]!-- > 0) kept.push(hit)
    else cut++
  }
  return { hits: kept.reverse(), cut }
}

/** A place is needed until a look-back after the last signal happened or arrived in it. */
function endOf({ lookbackMs }: CorrelationRule, { hits, done }: Place, clock: WalkClock): number | undefined {
  let lastMs = Number.NEGATIVE_INFINITY
  for (const { timeMs, seenMs } of [...hits, ...done.values()]) lastMs = Math.max(lastMs, timeMs, seenMs)
  const endMs = lastMs + lookbackMs + clock.graceMs + 1
  return endMs > clock.nowMs ? endMs : undefined
}

/** A place as JSON text, kept short because there may be many. */
export function writePlace({ version, key, hits, done, settledMs, isCut }: Place): string {
  const row = ({ member, timeMs, rowId, seenMs, values }: OpenHit) =>
    values ? [member, timeMs, rowId, seenMs, values] : [member, timeMs, rowId, seenMs]
  return JSON.stringify({
    version,
    key,
    hits: hits.map(row),
    done: [...done].map(([name, hit]) => [name, row(hit)]),
    settledMs,
    isCut,
  })
}

type HitRow = readonly [number, number, string, number, OpenHit['values']?]

/** Reads what `writePlace` wrote; `undefined` if it belongs to another version of the rule. */
export function readPlace(rule: CorrelationRule, text: string): Place | undefined {
  const { version, key, hits, done, settledMs, isCut } = JSON.parse(text) as {
    version: string
    key?: string[]
    hits: HitRow[]
    done: [string, HitRow][]
    settledMs: number
    isCut: boolean
  }
  if (version !== rule.version) return undefined
  const hitOf = ([member, timeMs, rowId, seenMs, values]: HitRow): OpenHit => ({
    member,
    timeMs,
    rowId,
    seenMs,
    ...(values && { values }),
  })
  return { version, key, hits: hits.map(hitOf), done: new Map(done.map(([name, row]) => [name, hitOf(row)])), settledMs, isCut }
}
