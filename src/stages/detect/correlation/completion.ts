import type { Hit } from './hit.ts'

/** All members that must occur have occurred; the match holds unless something that must not occur does. */
export interface Completion {
  /** When the first of the required signals happened, using the choice that begins latest. */
  readonly startMs: number
  /** Signals up to this time can spoil the match; `undefined` if nothing can. */
  readonly untilMs: number | undefined
  /** The same where only the look-back sets the limit; a run of the rule's schedule waits until then. */
  readonly frameMs: number
  /** Whether it is spoilt by the hits known so far. */
  readonly isSpoilt: () => boolean
}

/** Receives the hits of one join key in order; returns whether the last one completes a match. */
export interface Matcher {
  /** Called for a hit of a member that must occur. */
  complete(hit: Hit): Completion | undefined
}

/** The unused hits of one key, by member, in order, including later ones. */
export type ByMember = readonly (readonly Hit[])[]
