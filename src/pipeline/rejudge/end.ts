import type { Count, Decision, FinishedRows, OtherEffects } from '../../model/batch.ts'
import type { Replay } from '../../model/replay.ts'
import type { AlertClock, Judged } from '../../stages/alert/step.ts'
import type { Route } from '../deliveries.ts'
import { encode } from '../encode.ts'
import type { Retrying } from '../faults.ts'
import { eventRows } from '../finished-rows.ts'
import type { Generation } from '../generation.ts'
import { HERE, type PathEnd } from '../path.ts'
import { REPLAYED, rowsOf } from '../rows.ts'
import type { EncodedBatch, GroupedBatch } from '../steps.ts'
import { commitBatch } from '../take-apart.ts'
import type { DryWindows } from './dry-windows.ts'
import { type KnownDeps, knownMatches } from './known-matches.ts'
import { isLetters, type LettersPage, type Page } from './page.ts'
import { addPage } from './report.ts'

type Rows = readonly FinishedRows[]

export interface EndDeps extends Omit<KnownDeps, 'rules'> {
  readonly generation: Generation
  readonly retrying: Retrying
  readonly now: () => number
  /** Where alerts go. */
  readonly routes: readonly Route[]
  readonly baseUrl: string
  /** Matches that are stored already count like others. */
  readonly isApart?: boolean
  /** What a table learned after the event was stored. */
  readonly learned?: AlertClock['learned']
  /** A replay's key in state. */
  readonly keyOf: (replayId: string) => string
  /** One transaction, in turn with the live batches; does nothing if the generation is no longer in force. */
  readonly keep: (make: () => Promise<Decision<OtherEffects>>) => Promise<void>
  /** The same, rolled back. */
  readonly attempt: (decision: Decision<OtherEffects>) => Promise<void>
  /** Sentences on what was lost. */
  readonly onDropped: (message: string) => void
}

/** A page's outcome, with the replay. */
interface Outcome {
  replay: Replay
  /** The matches that were not stored before, in a dry run. */
  matches?: readonly Judged[]
}

/** The end of a page's path when results are stored: one transaction that includes the replay's new position. */
export function endInReplay(page: Page, replay: Replay, deps: EndDeps): { end: PathEnd<Rows, OtherEffects>; outcome: Outcome } {
  const outcome: Outcome = { replay }
  const known: Judged[] = []
  const aside: Judged[] = []
  const end: PathEnd<Rows, OtherEffects> = {
    ...common(deps),
    encodeEvents: (group) => (isLetters(page) ? eventRows(group, { generation: deps.generation.hash }) : []),
    encode: (grouped) => {
      outcome.replay = resultOf(page, replay, grouped, known, aside)
      return effectsOf(page, outcome.replay, grouped, deps)
    },
    commit: async (batch, finish) => {
      const part = await unknownOf(page, batch, deps, { known, aside })
      await commitBatch(page.sourceId, part, {
        what: 'a replay cannot be written',
        keep: (some) => deps.keep(() => finish(some)),
        attempt: async (some) => deps.attempt(await finish(some)),
        onDropped: deps.onDropped,
        retrying: deps.retrying,
      })
    },
  }
  return { end, outcome }
}

/** The end of a page's path in a dry run. */
export function endDry(
  page: Page,
  replay: Replay,
  windows: DryWindows,
  deps: Omit<EndDeps, 'keep' | 'attempt'>,
): { end: PathEnd<Rows, GroupedBatch<Rows>>; outcome: Outcome } {
  const outcome: Outcome = { replay }
  const known: Judged[] = []
  const aside: Judged[] = []
  const end: PathEnd<Rows, GroupedBatch<Rows>> = {
    ...common(deps),
    encodeEvents: () => [],
    encode: (grouped) => grouped,
    commit: async (batch, finish) => {
      const part = await unknownOf(page, batch, deps, { known, aside })
      const decision = await finish(part)
      const grouped = decision.decide(windows.known(decision))
      windows.keep(grouped.alerts.windows)
      outcome.matches = grouped.judged.filter(({ finding }) => finding.kind === 'match')
      outcome.replay = resultOf(page, replay, grouped, known, aside)
    },
  }
  return { end, outcome }
}

function common({ retrying, now, learned }: Pick<EndDeps, 'retrying' | 'now' | 'learned'>) {
  return {
    retrying,
    // Metrics are about the live path.
    observe: () => {},
    ...HERE,
    turn: async () => {},
    times: () => ({ atMs: eventMs, signalsMs: now(), nowMs: now(), retroactive: true as const, ...(learned && { learned }) }),
  }
}

/** The event's own time; NaN for a finding without an event. */
function eventMs({ event }: Judged): number {
  return event ? Date.parse(event.p_event_time) : Number.NaN
}

/**
 * The batch without matches that are already stored. Rule cache changes stay within the replay. Dead letters that became events, or failed
 * again, are already accounted for. Rule errors of stored events are reported but not stored, since a repeat would store them again.
 */
async function unknownOf(
  page: Page,
  batch: EncodedBatch<Rows>,
  deps: Pick<EndDeps, 'generation' | 'query' | 'flush' | 'isApart'>,
  into: { readonly known: Judged[]; readonly aside: Judged[] },
): Promise<EncodedBatch<Rows>> {
  const stored = deps.isApart ? new Set<Judged>() : await knownMatches(batch.judged, { ...deps, rules: deps.generation.rules })
  into.known.push(...stored)
  const fresh = batch.judged.filter((item) => !stored.has(item))
  const kept = isLetters(page) ? fresh : fresh.filter(({ finding }) => finding.kind === 'match')
  into.aside.push(...fresh.filter((item) => !kept.includes(item)))
  return { ...batch, judged: kept, cacheWrites: [], cacheLimits: [] }
}

function resultOf(
  page: Page,
  replay: Replay,
  { groups, deadLetters, judged, alerts }: GroupedBatch<Rows>,
  known: readonly Judged[],
  aside: readonly Judged[],
): Replay {
  const failing = new Map<string, number>(isLetters(page) ? page.aside : [])
  const reasons = [...deadLetters, ...(isLetters(page) ? silentLetters(page, groups, deadLetters) : [])]
  for (const { reason } of reasons) failing.set(reason, (failing.get(reason) ?? 0) + 1)
  const report = addPage(replay.report, {
    records: page.records,
    stored: isLetters(page) ? groups.reduce((n, { events }) => n + events.length, 0) : 0,
    filtered: isLetters(page) ? page.filteredBy.size : 0,
    failing,
    judged: [...judged, ...aside],
    known,
    windows: alerts.windows,
    opened: alerts.opened,
  })
  return { ...replay, cursor: page.next, report }
}

/** Letters for which the parser returns nothing, such as a header line: they stay unchanged. */
function silentLetters(page: LettersPage, groups: GroupedBatch<Rows>['groups'], letters: GroupedBatch<Rows>['deadLetters']) {
  const spoken = new Set([
    ...groups.flatMap(({ events }) => events.map(({ p_row_id }) => p_row_id)),
    ...letters.map(({ rowId }) => rowId),
    ...page.filteredBy.keys(),
  ])
  return [...page.letters.values()].filter(({ rowId }) => !spoken.has(rowId))
}

function effectsOf(page: Page, replay: Replay, grouped: GroupedBatch<Rows>, deps: EndDeps): OtherEffects {
  const { generation, routes, baseUrl, keyOf } = deps
  const found = { ...grouped, deadLetters: [] }
  const effects = encode(found, { generation: generation.hash }, { generation, routes, baseUrl })
  const meta = new Map([[keyOf(replay.id), JSON.stringify(replay)]])
  const delivered = replay.ask.deliver ? effects : { ...effects, deliveries: [] }
  if (!isLetters(page)) return { ...delivered, meta }
  const moved = movedLetters(page, grouped)
  const time = new Date(grouped.nowMs).toISOString()
  const marks = moved.map(({ letter, outcome }) => [
    time,
    letter.rowId,
    letter.time,
    letter.source,
    letter.reason,
    outcome,
    page.replayId,
  ])
  return {
    ...delivered,
    rows: [...effects.rows, ...rowsOf(REPLAYED, marks)],
    counts: moved.flatMap(({ counts }) => counts),
    meta,
  }
}

/** Letters that are now events, or dropped by a filter, with the resulting change of the counts. */
function movedLetters(page: Page, { groups }: GroupedBatch<Rows>) {
  if (!isLetters(page)) return []
  const move = (rowId: string, outcome: 'stored' | 'filtered', reason: string) => {
    const letter = page.letters.get(rowId)!
    const { source: sourceId } = letter
    const counts: Count[] = [
      { sourceId, outcome: 'dead_lettered', reason: letter.reason, n: -1 },
      { sourceId, outcome, reason, n: 1 },
    ]
    return { letter, outcome, counts }
  }
  const events = groups.flatMap(({ schema, events: some }) =>
    some.map(({ p_row_id }) => move(p_row_id, 'stored', page.guessed.has(p_row_id) ? schema.name : '')),
  )
  return [...events, ...[...page.filteredBy].map(([rowId, filter]) => move(rowId, 'filtered', filter))]
}
