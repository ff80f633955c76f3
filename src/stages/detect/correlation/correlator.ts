import type { CorrelationChanges, CorrelationEntry } from '../../../model/correlation.ts'
import { ConfigError } from '../../../util/errors.ts'
import { sha256 } from '../../../util/hash.ts'
import { type Gathered, gather } from './gather.ts'
import type { CorrelationMatch } from './match.ts'
import { emptyPlace, type PlaceStep, readPlace, stepPlace, writePlace } from './place.ts'
import { type CorrelationRule, canBeSpoilt, rememberedFrom, type Signal } from './rule.ts'
import { type CorrelationStore, Overlay } from './store.ts'
import type { WalkClock } from './walk.ts'

/** A limit was reached, so matches of the rule may be missing or wrong. Shown like a rule error. */
export interface CorrelationNotice {
  readonly ruleId: string
  readonly kind: 'signals_cut' | 'values_cut' | 'keys_full' | 'late'
  /** Number of signals affected in this step. */
  readonly count: number
  readonly message: string
}

export interface CorrelationStep {
  /** Ordered by time within a rule; rules come after those that they refer to. */
  readonly matches: readonly CorrelationMatch[]
  readonly changes: CorrelationChanges
  readonly notices: readonly CorrelationNotice[]
  /** There is more to do now: call `due` again after the changes are committed. */
  readonly more: boolean
}

/** Evaluates signals as they arrive. Stateless: the same signals on the same store produce the same step. */
export interface Correlator {
  /** Rules that cannot be evaluated because they refer to themselves through others. */
  readonly problems: readonly ConfigError[]
  /** The rules that are evaluated; each comes after those that it refers to. */
  readonly order: readonly CorrelationRule[]
  /** Rules whose matches are signals for some correlation rule. */
  readonly wanted: ReadonlySet<string>
  /** New signals, in any order. `nowMs` is when they arrived. Only rejects if the store does. */
  feed(signals: readonly Signal[], store: CorrelationStore, nowMs: number): Promise<CorrelationStep>
  /**
   * Signals from before these rules were added or changed: each rule takes those that it would remember and reports matches that
   * end within its look-back. Other rules have already had these signals.
   */
  remember(
    rules: ReadonlySet<string>,
    signals: readonly Signal[],
    store: CorrelationStore,
    nowMs: number,
  ): Promise<CorrelationStep>
  /** Handles what has become certain or obsolete because time has passed; call it about every second. */
  due(store: CorrelationStore, nowMs: number): Promise<CorrelationStep>
  /**
   * One part of a run of a rule's schedule: evaluates what is remembered with the signals up to `nowMs`. `from` is the previous
   * part's `next`.
   */
  run(ruleId: string, store: CorrelationStore, nowMs: number, from?: string): Promise<RunStep>
}

export interface RunStep extends CorrelationStep {
  /** Where the next part begins; `undefined` if the run is finished. */
  readonly next: string | undefined
}

export interface CorrelatorOptions {
  /** Absence is only certain this long after a window has ended, since signals take a while to arrive. */
  readonly graceMs?: number
  /** Maximum number of join keys remembered per rule; signals with new ones are not correlated until old ones are forgotten. */
  readonly maxKeys?: number
}

/** How much later than they happened signals may arrive. */
export const GRACE_MS = 60_000
const MAX_KEYS = 50_000
/** Number of entries processed by one call of `due` or `run`, whose results are committed in one transaction. */
const MAX_LOOKED_AT = 500

/** Enabled rules are judged. */
export function createCorrelator(rules: readonly CorrelationRule[], options: CorrelatorOptions = {}): Correlator {
  const { order, problems } = inOrder(rules.filter(({ enabled }) => enabled))
  const { graceMs = GRACE_MS, maxKeys = MAX_KEYS } = options
  const step = async (overlay: Overlay, nowMs: number, { signalsOf, woken = [], runOf, isPast }: StepInput) => {
    const matches: CorrelationMatch[] = []
    const notices: CorrelationNotice[] = []
    const known = new Set(order.map(({ id }) => id))
    for (const { id, ruleId } of woken) if (!known.has(ruleId)) overlay.remove(id)
    for (const rule of order) {
      const own = new RuleStep(rule, overlay, { nowMs, graceMs, isRun: rule.id === runOf }, maxKeys, isPast)
      await own.run([...(signalsOf?.(rule) ?? []), ...matches], woken)
      matches.push(...own.matches)
      notices.push(...own.notices())
    }
    return { matches, changes: overlay.changes(), notices, more: woken.length === MAX_LOOKED_AT }
  }
  return {
    problems,
    order,
    wanted: new Set(order.flatMap(({ members }) => members.map(({ ruleId }) => ruleId))),
    feed: (signals, store, nowMs) => step(new Overlay(store), nowMs, { signalsOf: () => signals }),
    remember(ids, signals, store, nowMs) {
      const signalsOf = (rule: CorrelationRule) =>
        ids.has(rule.id) ? signals.filter(({ timeMs }) => timeMs >= rememberedFrom(rule, nowMs)) : []
      return step(new Overlay(store), nowMs, { signalsOf, isPast: true })
    },
    async due(store, nowMs) {
      const overlay = new Overlay(store)
      return step(overlay, nowMs, { woken: await overlay.wake(nowMs, MAX_LOOKED_AT) })
    },
    async run(ruleId, store, nowMs, from = '') {
      const overlay = new Overlay(store)
      const woken = await overlay.entriesOf(ruleId, from, MAX_LOOKED_AT)
      const stepped = await step(overlay, nowMs, { woken, runOf: ruleId })
      return { ...stepped, next: stepped.more ? woken.at(-1)!.id : undefined }
    },
  }
}

interface StepInput {
  /** New signals for a rule. */
  readonly signalsOf?: (rule: CorrelationRule) => readonly Signal[]
  /** A remembered entry that is due to be checked again. */
  readonly woken?: readonly CorrelationEntry[]
  /** The rule whose schedule is due. */
  readonly runOf?: string
  /** Stored signals are treated as having arrived when they happened, so none is late. */
  readonly isPast?: boolean
}

/** One rule's part of a step. */
class RuleStep {
  readonly matches: CorrelationMatch[] = []
  readonly #rule: CorrelationRule
  readonly #overlay: Overlay
  readonly #clock: WalkClock
  readonly #maxKeys: number
  readonly #isPast: boolean
  readonly #counts = { signals_cut: 0, values_cut: 0, keys_full: 0, late: 0 }

  constructor(rule: CorrelationRule, overlay: Overlay, clock: WalkClock, maxKeys: number, isPast = false) {
    this.#rule = rule
    this.#overlay = overlay
    this.#clock = clock
    this.#maxKeys = maxKeys
    this.#isPast = isPast
  }

  async run(signals: readonly Signal[], woken: readonly CorrelationEntry[]): Promise<void> {
    const { places, cut } = gather(this.#rule, signals, this.#isPast ? undefined : this.#clock.nowMs)
    this.#counts.values_cut += cut
    const work = new Map<string, Gathered | undefined>()
    for (const { id, ruleId } of woken) if (ruleId === this.#rule.id) work.set(id, undefined)
    for (const [name, place] of places) work.set(this.#idOf(name), place)
    if (work.size === 0) return
    await this.#overlay.load([...work.keys()])
    for (const [id, place] of work) await this.#place(id, place)
    this.matches.sort((a, b) => a.timeMs - b.timeMs || (a.rowId < b.rowId ? -1 : 1))
  }

  async #place(id: string, added: Gathered | undefined): Promise<void> {
    const entry = this.#overlay.get(id)
    const before = entry && readPlace(this.#rule, entry.value)
    if (!before && !added) return this.#overlay.remove(id)
    const place = before ?? emptyPlace(this.#rule, added!.key, this.#settledMs())
    const step = stepPlace(this.#rule, place, added?.hits ?? [], this.#clock)
    if (!entry && step.wakeMs !== undefined && (await this.#overlay.count(this.#rule.id)) >= this.#maxKeys) {
      this.#counts.keys_full += added!.hits.length
      // Matches that are complete within one step need not be remembered.
      this.matches.push(...step.matches)
      return
    }
    this.#take(id, step, entry)
  }

  #take(id: string, { place, matches, wakeMs, cut, late }: PlaceStep, before: CorrelationEntry | undefined): void {
    this.matches.push(...matches)
    this.#counts.signals_cut += cut
    if (!this.#isPast) this.#counts.late += late
    const value = writePlace(place)
    if (wakeMs === undefined) this.#overlay.remove(id)
    else if (before?.wakeMs !== wakeMs || before.value !== value) this.#overlay.save({ id, ruleId: this.#rule.id, wakeMs, value })
  }

  /** Only matches that end within the look-back are reported; earlier stored signals can only spoil them. */
  #settledMs(): number {
    return this.#isPast && canBeSpoilt(this.#rule) ? this.#clock.nowMs - this.#rule.lookbackMs : Number.MIN_SAFE_INTEGER
  }

  #idOf(name: string): string {
    return sha256(Buffer.from(JSON.stringify([this.#rule.id, this.#rule.version, name]))).slice(0, 32)
  }

  notices(): CorrelationNotice[] {
    const { id: ruleId } = this.#rule
    const texts = {
      signals_cut:
        'signals are forgotten early because one join key has too many: make the rules they come from match less often',
      values_cut: 'signals have lists that are too long to join on: join on a field with fewer values',
      keys_full: `signals are not correlated because the rule remembers ${this.#maxKeys} join keys already: shorten its LookbackWindowMinutes or make the rules it refers to match less often`,
      late: 'signals came so late that what they could have matched with is forgotten: check whether a source is far behind',
    }
    return (['signals_cut', 'values_cut', 'keys_full', 'late'] as const).flatMap((kind) => {
      const count = this.#counts[kind]
      return count === 0 ? [] : [{ ruleId, kind, count, message: `Correlation rule '${ruleId}': ${count} ${texts[kind]}.` }]
    })
  }
}

/** Sorts rules after those that they refer to, leaving out those that refer to themselves, directly or through others. */
function inOrder(rules: readonly CorrelationRule[]): {
  readonly order: readonly CorrelationRule[]
  readonly problems: readonly ConfigError[]
} {
  const byId = new Map(rules.map((rule) => [rule.id, rule]))
  const ordered = new Set<CorrelationRule>()
  const problems = new Map<CorrelationRule, ConfigError>()
  const visit = (rule: CorrelationRule, path: readonly CorrelationRule[]) => {
    if (ordered.has(rule)) return
    if (path.includes(rule)) {
      const circle = path.slice(path.indexOf(rule))
      const names = [...circle, rule].map(({ id }) => id).join(' → ')
      for (const each of circle) problems.set(each, circleError(names, each))
      return
    }
    for (const { ruleId } of rule.members) {
      const other = byId.get(ruleId)
      if (other) visit(other, [...path, rule])
    }
    ordered.add(rule)
  }
  for (const rule of rules) visit(rule, [])
  return { order: [...ordered].filter((rule) => !problems.has(rule)), problems: [...problems.values()] }
}

function circleError(names: string, { file }: CorrelationRule): ConfigError {
  return new ConfigError(
    `correlation rules refer to each other in a circle (${names}) and are not evaluated: remove one of the references`,
    {
      file,
    },
  )
}
