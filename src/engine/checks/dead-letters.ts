import { type SystemProblem, systemProblem } from '../../model/system-problem.ts'
import type { SourceCounts } from '../../state/sources.ts'
import type { Check } from './check.ts'

/** Records from this period are counted. */
const SPAN_MS = 60 * 60_000
/** Interval at which counts are stored. */
const STEP_MS = 60_000
/** Reported if it is this share of a source's records and at least this number of them, … */
const SHARE = 0.01
const LEAST = 10
/** … or this share, whatever the number. */
const LARGE_SHARE = 0.1
/** From this share on the problem is more severe. */
const BAD_SHARE = 0.5

interface Snapshot {
  readonly atMs: number
  readonly counts: ReadonlyMap<string, SourceCounts>
}

/** What is stored across restarts, as JSON. */
interface Saved {
  readonly wallMs: number
  readonly counts: readonly (readonly [string, SourceCounts])[]
  /** Absent in data stored by earlier versions. */
  readonly samples?: readonly (readonly [string, readonly unknown[]])[]
}

export interface DeadLetterDeps {
  /** Records by outcome since the data folder was created, by source. */
  readonly counts: () => Promise<ReadonlyMap<string, SourceCounts>>
  /** A source's last dead letters, for display; plain JSON. */
  readonly samples: (sourceId: string) => Promise<readonly unknown[]>
  /** Milliseconds; only differences matter. */
  readonly now: () => number
  /** Stores the oldest counts and the samples across restarts, as text. Absent: records are counted from the first run on. */
  readonly oldest?: { readonly load: () => Promise<string | undefined>; readonly save: (text: string) => Promise<void> }
  /** Epoch ms, for the age of what was stored across a restart. */
  readonly wall?: () => number
}

/** Checks the share of each source's records that became dead letters within the last hour, also before a restart. */
export function deadLetterCheck({ counts, samples, now, oldest, wall = Date.now }: DeadLetterDeps): Check {
  /** Oldest first; the first one is as old as the span, or as the first run. */
  const kept: Snapshot[] = []
  let saved: Snapshot | undefined
  /** The last samples of each source, also from before a restart. */
  const sampled = new Map<string, readonly unknown[]>()
  let isFirst = true

  async function load(): Promise<void> {
    const text = await oldest?.load()
    if (text === undefined) return
    const { wallMs, counts: pairs, samples: old = [] } = JSON.parse(text) as Saved
    const age = wall() - wallMs
    if (age >= 0 && age < SPAN_MS) kept.push({ atMs: now() - age, counts: new Map(pairs) })
    for (const [id, list] of old) sampled.set(id, list)
    saved = kept[0]
  }

  async function save(first: Snapshot, isForced: boolean): Promise<void> {
    if (first === saved && !isForced) return
    saved = first
    const wallMs = Math.round(wall() - (now() - first.atMs))
    await oldest?.save(JSON.stringify({ wallMs, counts: [...first.counts], samples: [...sampled] } satisfies Saved))
  }

  /** True if the source had none before: worth storing immediately. */
  async function sample(id: string): Promise<boolean> {
    const latest = await samples(id)
    const isNew = latest.length > 0 && !sampled.has(id)
    if (latest.length > 0) sampled.set(id, latest)
    return isNew
  }

  return {
    name: 'the counts of records',
    async run() {
      if (isFirst) await load()
      isFirst = false
      const latest = { atMs: now(), counts: await counts() }
      const last = kept.at(-1)
      if (!last || latest.atMs - last.atMs >= STEP_MS) kept.push(latest)
      while (kept.length > 1 && latest.atMs - kept[1]!.atMs >= SPAN_MS) kept.shift()
      const problems: SystemProblem[] = []
      let isSampled = false
      for (const [id, count] of latest.counts) {
        const found = deadOf(id, count, kept[0]!.counts.get(id))
        if (!found) {
          sampled.delete(id)
          continue
        }
        isSampled = (await sample(id)) || isSampled
        problems.push(systemProblem('DeadLetters', id, found.message, { ...found.more, evidence: sampled.get(id) ?? [] }))
      }
      await save(kept[0]!, isSampled)
      return problems
    },
  }
}

function deadOf(id: string, after: SourceCounts, before: SourceCounts | undefined) {
  const received = after.received - (before?.received ?? 0)
  const dead = after.deadLettered - (before?.deadLettered ?? 0)
  // A source that was removed counts from 0 again.
  if (dead <= 0 || received <= 0) return undefined
  const share = dead / received
  const isBad = share >= BAD_SHARE
  if (share < SHARE || (dead < LEAST && share < LARGE_SHARE)) return undefined
  const reasons = Object.entries(after.reasons)
    .map(([reason, n]) => [reason, n - (before?.reasons[reason] ?? 0)] as const)
    .filter(([, n]) => n > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, n]) => `${reason} ${n}`)
  const message = `${dead} of ${received} records of source ${id} within the last hour (${percent(share)} %) became dead letters: ${reasons.join(', ')}`
  return { message, more: isBad ? { severity: 'HIGH' as const } : {} }
}

function percent(share: number): string {
  return share >= 0.1 ? String(Math.floor(Math.min(1, share) * 100)) : (share * 100).toFixed(1)
}
