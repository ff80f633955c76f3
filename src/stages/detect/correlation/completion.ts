import type { Hit } from './hit.ts'

/** The members that must occur have: the match is there unless what must not occur does. */
export interface Completion {
  /** When the first of the signals that are needed happened, of the choice that begins latest. */
  readonly startMs: number
  /** The match can be spoilt by what happens until then; `undefined`: nothing can spoil it. */
  readonly untilMs: number | undefined
  /** The same where nothing but the look-back says how long: as long as a run of the rule's schedule waits. */
  readonly frameMs: number
  /** Whether it is spoilt, by the hits known now. */
  readonly isSpoilt: () => boolean
}

/** Told of the hits of one join key in their order; answers whether the one just told completes a match. */
export interface Matcher {
  /** For a hit of a member that must occur. */
  complete(hit: Hit): Completion | undefined
}

/** The hits of one key that are not used up, by member, in order. Those to come are in it too. */
export type ByMember = readonly (readonly Hit[])[]
