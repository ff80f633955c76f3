import type { Completion, Matcher } from './completion.ts'
import { GroupMatcher } from './group.ts'
import { compareHits, firstFrom, type Hit } from './hit.ts'
import type { CorrelationRule } from './rule.ts'
import { SequenceMatcher } from './sequence.ts'

/** A match of one join key. */
export interface Found {
  /** The hit that completed it. */
  readonly last: Hit
  /** The hits of required members that it uses up, in order: all in the look-back, not only as many as are needed. */
  readonly hits: readonly Hit[]
  /** For a match reported by a scheduled run: the time until which signals that spoil it could still arrive. */
  readonly openUntilMs: number | undefined
}

export interface Walk {
  readonly found: readonly Found[]
  /** The last hit that is used up; hits up to it are not part of further matches. */
  readonly done: Hit | undefined
  /** The next match, if it is waiting to become certain. */
  readonly waiting: Waiting | undefined
}

export interface Waiting {
  /** When it will be certain. */
  readonly dueMs: number
  /** When the hit that completes it happened. */
  readonly timeMs: number
}

/** The results of earlier walks. */
export interface Settled {
  /** The last hit that a match used up. */
  readonly done: Hit | undefined
  /** Matches that end before this are not searched for again, because the hits needed for that are forgotten. */
  readonly beforeMs: number
}

export interface WalkClock {
  /** Absence is certain up to here (less the grace). */
  readonly nowMs: number
  /** Signals may arrive this much later than they happened. */
  readonly graceMs: number
  /** A run of the rule's schedule: where only the look-back is still open, the signals so far decide. */
  readonly isRun?: boolean
}

/**
 * Goes through the hits of one join key, ordered by `compareHits`. If matches overlap, `EventEvaluationOrder` determines which of
 * them are reported: from the earliest on, as they happened, or from the latest that is certain. A match that can still be spoilt
 * ends the walk: what comes after it depends on it.
 */
export function walk(rule: CorrelationRule, hits: readonly Hit[], clock: WalkClock, settled: Settled): Walk {
  const { done } = settled
  const from = done ? hits.findIndex((hit) => compareHits(hit, done) > 0) : 0
  if (from < 0) return { found: [], done, waiting: undefined }
  const walked = (rule.isReverse ? walkBack : walkOn)(rule, from > 0 ? hits.slice(from) : hits, clock, settled.beforeMs)
  return { ...walked, done: walked.found.at(-1)?.last ?? done }
}

type Walked = Omit<Walk, 'done'>

/** From the earliest on: a match uses up all hits until its last one. */
function walkOn(rule: CorrelationRule, hits: readonly Hit[], clock: WalkClock, beforeMs: number): Walked {
  const found: Found[] = []
  for (let open = hits; ; ) {
    let next: Complete | undefined
    for (const complete of completions(rule, open, beforeMs)) {
      const waiting = waitingFor(complete, clock)
      if (waiting) return { found, waiting }
      if (complete.isSpoilt()) continue
      next = complete
      break
    }
    if (!next) return { found, waiting: undefined }
    found.push(foundOf(rule, open.slice(0, next.at + 1), next, clock))
    open = open.slice(next.at + 1)
  }
}

/**
 * From the latest on: a match uses up all hits from its first one on, and the next ends before them. They still spoil it. Only
 * matches before the first uncertain one are considered, so that none is skipped permanently.
 */
function walkBack(rule: CorrelationRule, hits: readonly Hit[], clock: WalkClock, beforeMs: number): Walked {
  const found: Found[] = []
  const certain: Complete[] = []
  let waiting: Waiting | undefined
  for (const complete of completions(rule, hits, beforeMs)) {
    waiting = waitingFor(complete, clock)
    if (waiting) break
    certain.push(complete)
  }
  let end = hits.length
  for (const complete of certain.reverse()) {
    if (complete.at >= end || complete.isSpoilt()) continue
    end = firstFrom(hits, complete.startMs)
    found.push(foundOf(rule, hits.slice(end, complete.at + 1), complete, clock))
  }
  return { found: found.reverse(), waiting }
}

interface Complete extends Completion {
  readonly hit: Hit
  /** Index of the hit. */
  readonly at: number
}

/** Hits that complete a match, spoilt or not, in order. */
function* completions(rule: CorrelationRule, hits: readonly Hit[], beforeMs: number): Generator<Complete> {
  const matcher = createMatcher(rule, hits)
  for (const [at, hit] of hits.entries()) {
    const completion = rule.members[hit.member]!.isAbsent ? undefined : matcher.complete(hit)
    if (completion && hit.timeMs >= beforeMs) yield { ...completion, hit, at }
  }
}

/** When it will be certain; `undefined`: it is. */
function waitingFor({ untilMs, frameMs, hit }: Complete, { nowMs, graceMs, isRun }: WalkClock): Waiting | undefined {
  if (untilMs === undefined) return undefined
  // If a hit was seen later than now, the clock was wrong.
  const seenMs = hit.seenMs <= nowMs ? hit.seenMs : hit.timeMs
  const dueMs = Math.max(isRun ? frameMs : untilMs, seenMs) + graceMs
  return nowMs < dueMs ? { dueMs, timeMs: hit.timeMs } : undefined
}

/** The match that ends with the last of the hits. */
function foundOf(
  { members, lookbackMs }: CorrelationRule,
  hits: readonly Hit[],
  { untilMs }: Completion,
  clock: WalkClock,
): Found {
  const last = hits.at(-1)!
  return {
    last,
    hits: hits.filter(({ member, timeMs }) => !members[member]!.isAbsent && timeMs >= last.timeMs - lookbackMs),
    openUntilMs: clock.isRun && untilMs !== undefined && clock.nowMs < untilMs ? untilMs : undefined,
  }
}

function createMatcher(rule: CorrelationRule, hits: readonly Hit[]): Matcher {
  const byMember: Hit[][] = rule.members.map(() => [])
  for (const hit of hits) byMember[hit.member]!.push(hit)
  const { pattern } = rule
  return pattern.kind === 'group'
    ? new GroupMatcher(rule, pattern.needed, byMember)
    : new SequenceMatcher(rule, pattern, byMember)
}
