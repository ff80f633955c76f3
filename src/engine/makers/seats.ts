import type { ParsedPart } from '../../pipeline/generation.ts'
import type { Remote } from '../../util/rpc.ts'
import type { MakerThread } from '../threads.ts'
import type { MakerCalls, MakerReport } from './maker-calls.ts'

/** A maker's work for one generation. */
export interface Work<T> {
  readonly generation: number
  /** For a batch: called once, when it is parsed. */
  readonly onParsed?: (parsed: ParsedPart) => void
  /** Tries whether a thread survives it: alone in its thread, and rejected with `DeadlyWork` at the first death. */
  readonly isTrial?: boolean
  /** Called again with another maker if the first one has ended, with the same `number`. */
  readonly ask: (maker: Remote<MakerCalls>, number: number) => Promise<T>
}

/** Work that a maker does or that waits for one. */
export interface Job {
  readonly number: number
  readonly work: Work<unknown>
  readonly resolve: (value: { answer: never; seat: number; node: string | undefined }) => void
  readonly reject: (error: unknown) => void
  isParsed: boolean
  /** The caller has been notified that it is parsed. */
  wasReported: boolean
  deaths: number
  /** How often another node was lost with it. */
  losses: number
}

/** A maker's thread and its work. */
export interface Seat {
  readonly number: number
  /** The node on which it runs; absent: this one. */
  readonly node: string | undefined
  readonly thread: MakerThread
  readonly jobs: Set<Job>
  readonly opening: Map<number, Promise<MakerReport>>
  readonly ready: Set<number>
  isGone: boolean
}

/** While the rules of one batch are judged, the maker parses the next. */
export const AT_ONCE = 2
/** Work with which this many other nodes were lost is done here, in case it is the reason: here it is clear whether a thread dies. */
const MAX_LOSSES = 2

/** A maker that is free for the work. `isSparing`: not one of this node, unless it must be done here or no other node can do it. */
export function seatFor(job: Job, seats: readonly Seat[], isSparing: boolean): Seat | undefined {
  const { number, work, losses } = job
  const isForOthers = losses < MAX_LOSSES
  const isSpared = isSparing && isForOthers && seats.some(({ node, ready }) => node !== undefined && ready.has(work.generation))
  const free = seats.filter(
    ({ jobs, ready, node }) =>
      (node === undefined ? !isSpared : isForOthers) &&
      jobs.size < (isAlone(job) || [...jobs].some(isAlone) ? 1 : AT_ONCE) &&
      ready.has(work.generation) &&
      // While a batch is parsed, its thread may wait for earlier batches to be parsed: none of them may wait for that thread.
      [...jobs].every((one) => one.isParsed || one.number < number),
  )
  // This node has the other half of the path to do as well.
  return free.sort((a, b) => a.jobs.size - b.jobs.size || Number(b.node !== undefined) - Number(a.node !== undefined))[0]
}

/** Nothing else is blamed for the death of its thread, or the other way round. */
function isAlone({ deaths, work }: Job): boolean {
  return deaths > 0 || work.isTrial === true
}

export function inOrder(jobs: Iterable<Job>): Job[] {
  return [...jobs].sort((a, b) => a.number - b.number)
}

/** Whether the thread has ended: calls to it fail a moment before that is known. */
export async function hasGone(seat: Seat): Promise<boolean> {
  await new Promise((resolve) => setImmediate(resolve))
  return seat.isGone
}
