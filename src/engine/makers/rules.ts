import type { RuleError } from '../../model/match.ts'
import type { Detector, RuleOff, TestRun } from '../../stages/detect/language.ts'
import type { MakerReport, RulesInMaker } from './maker-calls.ts'

/** The result of judging in one maker. */
export interface JudgedInMaker {
  readonly missed: readonly (readonly [ruleId: string, events: number])[]
  readonly timings: ReturnType<Detector['timings']>
}

/** A generation's rules in the makers, as one detector: combines their states in all makers, and judges in any of them. */
export class RulesInMakers implements Detector {
  readonly evaluate: Detector['evaluate']
  readonly prefiltered: Promise<void>
  readonly #ruleIds: ReadonlyMap<string, readonly string[]>
  readonly #reports = new Map<number, RulesInMaker>()
  /** By rule and maker: the number of events missed there. A maker's count still counts after it has ended. */
  readonly #missed = new Map<string, Map<number, number>>()
  readonly #timings = new Map<string, { seconds: number; events: number }>()

  constructor(
    reports: ReadonlyMap<number, MakerReport>,
    { evaluate, prefiltered }: { readonly evaluate: Detector['evaluate']; readonly prefiltered: Promise<void> },
  ) {
    this.evaluate = evaluate
    this.prefiltered = prefiltered
    // All makers have the same rules.
    this.#ruleIds = [...reports.values()][0]!.ruleIds
    for (const [maker, report] of reports) this.report(maker, report)
  }

  get logTypes(): ReadonlySet<string> {
    return new Set(this.#ruleIds.keys())
  }

  ruleIds(logType: string): readonly string[] {
    return this.#ruleIds.get(logType) ?? []
  }

  get setupErrors(): readonly RuleError[] {
    return firstOfEach([...this.#reports.values()].flatMap(({ setupErrors }) => setupErrors))
  }

  /** A rule is off if it is off in any maker. */
  off(): readonly RuleOff[] {
    const off = firstOfEach([...this.#reports.values()].flatMap((report) => report.off))
    return off.map((one) => ({ ...one, missed: this.#missedOf(one.ruleId) }))
  }

  get pids(): readonly number[] {
    return [...this.#reports.values()].flatMap(({ pids }) => pids)
  }

  timings(): ReturnType<Detector['timings']> {
    const all = [...this.#timings].map(([ruleId, spent]) => ({ ruleId, ...spent }))
    this.#timings.clear()
    return all
  }

  /** A maker reports the state of its rules. */
  report(maker: number, report: RulesInMaker): void {
    this.#reports.set(maker, report)
    for (const { ruleId, missed } of report.off) this.#miss(maker, ruleId, missed)
  }

  judged(maker: number, { missed, timings }: JudgedInMaker): void {
    for (const [ruleId, events] of missed) this.#miss(maker, ruleId, events)
    for (const { ruleId, seconds, events } of timings) {
      const spent = this.#timings.get(ruleId)
      if (!spent) this.#timings.set(ruleId, { seconds, events })
      else {
        spent.seconds += seconds
        spent.events += events
      }
    }
  }

  gone(maker: number): void {
    this.#reports.delete(maker)
  }

  async test(ruleId: string): Promise<TestRun> {
    throw new Error(`the unit tests of '${ruleId}' cannot run in the server`)
  }

  /** Makers end the processes that they have started themselves. */
  async close(): Promise<void> {}

  #miss(maker: number, ruleId: string, events: number): void {
    const byMaker = this.#missed.get(ruleId) ?? new Map<number, number>()
    this.#missed.set(ruleId, byMaker)
    byMaker.set(maker, Math.max(events, byMaker.get(maker) ?? 0))
  }

  #missedOf(ruleId: string): number {
    let all = 0
    for (const events of this.#missed.get(ruleId)?.values() ?? []) all += events
    return all
  }
}

function firstOfEach<T extends { readonly ruleId: string }>(list: readonly T[]): T[] {
  const byRule = new Map<string, T>()
  for (const one of list) if (!byRule.has(one.ruleId)) byRule.set(one.ruleId, one)
  return [...byRule.values()]
}
