import type { Matcher } from './completion.ts'
import { GroupMatcher } from './group.ts'
import { compareHits, type Hit } from './hit.ts'
import type { CorrelationRule } from './rule.ts'
import { SequenceMatcher } from './sequence.ts'

/** A match of one join key. */
export interface Found {
  /** The hit that completed it. */
  readonly last: Hit
  /** The hits of members that must occur that it uses up, in order: all in the look-back, not only as many as are needed. */
  readonly hits: readonly Hit[]
}

export interface Walk {
  readonly found: readonly Found[]
  /** The last hit that is used up; hits up to it take part in no further match. */
  readonly done: Hit | undefined
  /** The next match, when it waits until it is certain. */
  readonly waiting: Waiting | undefined
}

export interface Waiting {
  /** When it will be certain. */
  readonly dueMs: number
  /** When the hit that completes it happened. */
  readonly timeMs: number
}

/** What earlier walks have settled. */
export interface Settled {
  /** The last hit that a match used up. */
  readonly done: Hit | undefined
  /** Whether there are matches that end before this is not asked again: what could tell is forgotten. */
  readonly beforeMs: number
}

export interface WalkClock {
  /** Absence is certain up to here (less the grace). */
  readonly nowMs: number
  /** Signals may arrive this much later than they happened. */
  readonly graceMs: number
}

/**
 * Goes through the hits of one join key, ordered by `compareHits`, as they happened. A match uses up all hits until then; the next
 * needs new ones. A match that can still be spoilt ends the walk: what comes after it depends on it.
 */
export function walk(rule: CorrelationRule, hits: readonly Hit[], clock: WalkClock, { done, beforeMs }: Settled): Walk {
  const found: Found[] = []
  let last = done
  let from = done ? hits.findIndex((hit) => compareHits(hit, done) > 0) : 0
  if (from < 0) return { found, done: last, waiting: undefined }
  let matcher = createMatcher(rule, hits.slice(from))
  for (let at = from; at < hits.length; at++) {
    const hit = hits[at]!
    if (rule.members[hit.member]!.isAbsent) continue
    const completion = matcher.complete(hit)
    if (!completion || hit.timeMs < beforeMs) continue
    const { untilMs, isSpoilt } = completion
    const dueMs = untilMs === undefined ? Number.NEGATIVE_INFINITY : Math.max(untilMs, hit.seenMs) + clock.graceMs
    if (clock.nowMs < dueMs) {
      return { found, done: last, waiting: { dueMs, timeMs: hit.timeMs } }
    }
    if (isSpoilt()) continue
    const used = hits.slice(from, at + 1).filter((other) => isNamed(rule, other, hit))
    found.push({ last: hit, hits: used })
    last = hit
    from = at + 1
    matcher = createMatcher(rule, hits.slice(from))
  }
  return { found, done: last, waiting: undefined }
}

function isNamed({ members, lookbackMs }: CorrelationRule, { member, timeMs }: Hit, last: Hit): boolean {
  return !members[member]!.isAbsent && timeMs >= last.timeMs - lookbackMs
}

function createMatcher(rule: CorrelationRule, hits: readonly Hit[]): Matcher {
  const byMember: Hit[][] = rule.members.map(() => [])
  for (const hit of hits) byMember[hit.member]!.push(hit)
  const { pattern } = rule
  return pattern.kind === 'group'
    ? new GroupMatcher(rule, pattern.needed, byMember)
    : new SequenceMatcher(rule, pattern, byMember)
}
