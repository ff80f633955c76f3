import type { DiffCounts } from './versions/diff.ts'

/** How a refresh can end: other content is in force, nothing has changed, the content was refused, or there was none. */
export const OUTCOMES = ['swapped', 'unchanged', 'refused', 'failed'] as const

/** The outcome of one refresh, or of equal ones in a row. JSON. */
export interface RefreshOutcome {
  readonly outcome: (typeof OUTCOMES)[number]
  /** Epoch milliseconds. */
  readonly atMs: number
  /** When the last of equal ones ended, and how many there were. */
  readonly lastMs: number
  readonly times: number
  /** The version in force afterwards, and its rows. */
  readonly version?: string
  readonly rows?: number
  readonly skipped?: number
  /** Size of the content in bytes. */
  readonly bytes?: number
  /** Keys that differ from the version before. Absent: not compared. */
  readonly changes?: DiffCounts
  /** Being compared with the version before: not recorded in the lake yet. */
  readonly isPending?: true
  /** Why it was refused or failed. */
  readonly message?: string
  /** Checks that the content did not pass, when it was accepted nevertheless. */
  readonly passedOver?: readonly string[]
}

/** Outcomes that are remembered for each table. */
const REMEMBERED = 30

/** What is new about an outcome. */
export type NewOutcome = Omit<RefreshOutcome, 'lastMs' | 'times'>

/** The outcomes with another one, newest last. One that equals the last only counts again. */
export function withOutcome(outcomes: readonly RefreshOutcome[], next: NewOutcome): readonly RefreshOutcome[] {
  const last = outcomes.at(-1)
  if (
    last &&
    next.outcome !== 'swapped' &&
    last.outcome === next.outcome &&
    last.message === next.message &&
    last.version === next.version
  )
    return [...outcomes.slice(0, -1), { ...last, lastMs: next.atMs, times: last.times + 1 }]
  return [...outcomes, { ...next, lastMs: next.atMs, times: 1 }].slice(-REMEMBERED)
}

/** The outcomes with what a comparison has found, and the one that it was about. */
export function compared(
  outcomes: readonly RefreshOutcome[],
  atMs: number,
  changes: DiffCounts | undefined,
): { readonly outcomes: readonly RefreshOutcome[]; readonly done: RefreshOutcome | undefined } {
  let done: RefreshOutcome | undefined
  const all = outcomes.map((one) => {
    if (!one.isPending || one.atMs !== atMs) return one
    const { isPending: _, ...rest } = one
    done = { ...rest, ...(changes && { changes }) }
    return done
  })
  return { outcomes: all, done }
}
