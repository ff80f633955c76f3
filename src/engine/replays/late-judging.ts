import type { ReplayAsk } from '../../model/replay.ts'
import type { MissedEvents } from '../../pipeline/rule-spans.ts'
import { messageOf, Refused, RetryLater } from '../../util/errors.ts'
import type { Reading } from '../reading.ts'
import type { RulesOff } from '../rules-off.ts'
import type { Troubles } from '../troubles.ts'

/** A batch may have been received a little before its rule went off. */
const SLACK_MS = 60_000

export interface LateDeps {
  /** Events that rules missed while they were off, and that no replay is judging yet. */
  readonly missed: () => readonly MissedEvents[]
  /** Queues a replay; resolves with its id. */
  readonly add: (ask: ReplayAsk) => Promise<string>
  /** This replay judges one of `missed`; '': none does. */
  readonly judgedBy: (missed: MissedEvents, replayId: string) => void
  /** Why no replay can be requested; `undefined` once one can. */
  readonly onTrouble: (message: string | undefined) => void
}

/** As soon as a rule is on again, requests one replay for everything that it has missed. */
export class LateJudging {
  readonly #deps: LateDeps
  #working: Promise<void> = Promise.resolve()

  constructor(deps: LateDeps) {
    this.#deps = deps
  }

  /** A rule may be on again. Requests that do not fit into the queue are repeated with the next call. */
  look(): void {
    const { onTrouble } = this.#deps
    this.#working = this.#working
      .then(() => this.#addAll())
      .then(
        () => onTrouble(undefined),
        (error) => onTrouble(`What rules missed while they were off cannot be judged late: ${messageOf(error)}`),
      )
  }

  async #addAll(): Promise<void> {
    const { missed, add, judgedBy } = this.#deps
    for (const one of missed()) {
      const { ruleId, logTypes, fromMs, toMs } = one
      const range = { fromMs: fromMs - SLACK_MS, toMs: toMs + SLACK_MS, by: 'received' } as const
      try {
        judgedBy(one, await add({ kind: 'events', logTypes, rules: [ruleId], ...range, dryRun: false, deliver: true }))
      } catch (error) {
        if (error instanceof RetryLater) return
        // By now it is disabled or removed, or does not judge events.
        if (!(error instanceof Refused)) throw error
        judgedBy(one, '')
      }
    }
  }
}

/** Begins to judge late what rules have missed. */
export function judgeLate(rulesOff: RulesOff, reading: Reading, troubles: Troubles): LateJudging {
  const late = new LateJudging({
    missed: () => rulesOff.missed(),
    add: async (ask) => (await reading.replays.add(ask)).id,
    judgedBy: (missed, replayId) => rulesOff.judgedBy(missed, replayId),
    onTrouble: (message) => troubles.set('late', message),
  })
  late.look()
  return late
}
