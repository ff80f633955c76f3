import {
  type AlertWindow,
  CROWD_SPAN_MS,
  type CrowdRef,
  type GroupRef,
  type KnownGroups,
  type LearnedLater,
} from '../../model/alert.ts'
import type { Decision } from '../../model/batch.ts'
import type { Event } from '../../model/event.ts'
import { type LimitHit, MAX_WINDOWS_PER_RULE } from '../../model/limit.ts'
import type { Finding } from '../../model/match.ts'
import type { MuteCount } from '../../model/mute.ts'
import type { Rule } from '../../model/rule.ts'
import { matchGroupKey } from '../../util/group-key.ts'
import { hash16 } from '../../util/hash.ts'
import { bodyOf, crowdBody, join, learnedBody, severityOf } from './body.ts'
import { type AlertNews, News } from './news.ts'
import { summarise } from './summary.ts'
import { countOf, countUnique, forgetUnique } from './unique.ts'
import { Windows } from './windows.ts'

/** A finding with its event; without one if a rule could not be loaded. */
export interface Judged {
  readonly finding: Finding
  readonly event: Event | undefined
  /** The event's exact JSON text, built on demand. */
  readonly text: () => string
  /** The match's own id, for a finding about several events. */
  readonly rowId?: string
  /** When the finding happened, RFC 3339, for a finding about several events. */
  readonly span?: { readonly first: string; readonly last: string }
  /**
   * The finding is about more than its event, possibly about events of other log types. So it has no log type: it is not among the matches of
   * the event's, and who may only see some log types does not see it.
   */
  readonly isWider?: true
}

export interface AlertStepResult {
  /** Windows to write, changed or new. */
  readonly windows: readonly AlertWindow[]
  /** Windows that became alerts in this step. */
  readonly opened: readonly AlertWindow[]
  /** The window of each judged finding, or `undefined` if it raises no alert (`CreateAlert: false`, or its rule is off). */
  readonly windowOf: ReadonlyMap<Judged, AlertWindow>
  /** News of alerts that were open before. */
  readonly changes: readonly (AlertNews & {
    /** Destinations that the alert has had deliveries to. */
    readonly sentTo: ReadonlySet<string>
  })[]
  readonly mutes: readonly MuteCount[]
  /** Findings that had to share a window, and windows whose number of distinct values became an estimate, because of a limit. */
  readonly limits: readonly LimitHit[]
}

export interface AlertClock {
  /** The time that windows run on, epoch ms: when the record was received, or in replays the event's own time. NaN if it has none. */
  readonly atMs: (item: Judged) => number
  readonly nowMs: number
  /** This is a replay: findings go into separate windows for each version of the rule. */
  readonly retroactive?: true
  /** What a table learned after the event was first judged, in a replay because of that. */
  readonly learned?: (item: Judged) => LearnedLater | undefined
}

/** Window length for errors of one rule. */
const ERROR_WINDOW_MINUTES = 60

/**
 * Groups findings into windows: same rule, same dedup string, from the first match on for the rule's dedup period; the window does not
 * slide. A window becomes an alert when it contains `Threshold` matches, or that number of distinct values of the rule's `unique`. Rule
 * errors are grouped separately and become alerts at once. Windows are looked up and created while no one else can change the state: see
 * `Decision`.
 */
export function groupFindings(
  judged: readonly Judged[],
  rules: ReadonlyMap<string, Rule>,
  clock: AlertClock,
  maxWindows = MAX_WINDOWS_PER_RULE,
): Decision<AlertStepResult> {
  const wanted = judged.filter(({ finding }) =>
    finding.kind === 'error' ? !finding.isOff : rules.get(finding.ruleId)?.createAlert !== false,
  )
  const keys = keysOf(rules, clock)
  const span = spanOf(wanted, clock)
  return {
    groups: groupsOf(wanted, keys),
    fromMs: span.fromMs,
    crowds: crowdsOf(wanted, rules, { ...span, ...(clock.retroactive && { retroactive: true }) }),
    decide: (known) => {
      const step = new Step(new Windows(known), rules, { clock, keys, maxWindows, news: new News(known.mutes ?? []) })
      for (const item of wanted) step.take(item)
      return step.finish(known)
    },
  }
}

/** The groups of findings, including for each rule the group for matches beyond the limit. */
function groupsOf(wanted: readonly Judged[], { groupKeyOf, crowdKeyOf }: Keys): GroupRef[] {
  const groups = new Map<string, GroupRef>()
  for (const { finding } of wanted) {
    const { ruleId } = finding
    for (const groupKey of finding.kind === 'match' ? [groupKeyOf(finding), crowdKeyOf(ruleId)] : [groupKeyOf(finding)])
      groups.set(groupKey, { groupKey, ruleId })
  }
  return [...groups.values()]
}

/** The earliest and the latest time of the findings. */
function spanOf(wanted: readonly Judged[], clock: AlertClock): Pick<CrowdRef, 'fromMs' | 'toMs'> {
  let [fromMs, toMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const item of wanted) {
    const ms = clock.atMs(item)
    if (ms < fromMs) fromMs = ms
    if (ms > toMs) toMs = ms
  }
  return fromMs > toMs ? { fromMs: clock.nowMs, toMs: clock.nowMs } : { fromMs, toMs }
}

/**
 * The windows that count toward a rule's limit: those open within the span, and those that ended shortly before it. Windows that begin
 * later do not count, since an old backlog is unrelated to current activity. A rule's errors are one group, so they have no such limit.
 */
function crowdsOf(
  wanted: readonly Judged[],
  rules: ReadonlyMap<string, Rule>,
  { fromMs, toMs, ...kind }: Omit<CrowdRef, 'ruleIds'>,
): CrowdRef[] {
  const byLength = new Map<number, Set<string>>()
  for (const { finding } of wanted) {
    if (finding.kind !== 'match') continue
    const length = lengthOf(finding, rules)
    const same = byLength.get(length)
    if (same) same.add(finding.ruleId)
    else byLength.set(length, new Set([finding.ruleId]))
  }
  return [...byLength].map(([length, ruleIds]) => ({
    ...kind,
    ruleIds: [...ruleIds],
    fromMs: fromMs - CROWD_SPAN_MS,
    toMs: toMs + length,
  }))
}

/** Length of a window in milliseconds. At least 1, so that findings of the same moment share a window. */
function lengthOf(finding: Finding, rules: ReadonlyMap<string, Rule>): number {
  const minutes = finding.kind === 'match' ? (rules.get(finding.ruleId)?.dedupPeriodMinutes ?? 60) : ERROR_WINDOW_MINUTES
  return Math.max(1, minutes * 60_000)
}

/** One decision in progress. */
class Step {
  readonly #windows: Windows
  readonly #rules: ReadonlyMap<string, Rule>
  readonly #clock: AlertClock
  readonly #keys: Keys
  readonly #maxWindows: number
  readonly #news: News
  readonly #changed = new Set<AlertWindow>()
  readonly #opened: AlertWindow[] = []
  readonly #windowOf = new Map<Judged, AlertWindow>()
  readonly #limits = new Map<string, LimitHit>()

  constructor(
    windows: Windows,
    rules: ReadonlyMap<string, Rule>,
    {
      clock,
      keys,
      maxWindows,
      news,
    }: { readonly clock: AlertClock; readonly keys: Keys; readonly maxWindows: number; readonly news: News },
  ) {
    this.#news = news
    this.#windows = windows
    this.#rules = rules
    this.#clock = clock
    this.#keys = keys
    this.#maxWindows = maxWindows
  }

  /** Call once, when every finding was taken. */
  finish({ sentTo }: KnownGroups): AlertStepResult {
    const limits = [...this.#limits.values()]
    const { changes, mutes } = this.#news.finish()
    return {
      windows: [...this.#changed],
      opened: this.#opened,
      windowOf: this.#windowOf,
      changes: changes.map((one) => ({ ...one, sentTo: sentTo?.get(one.window.alertId) ?? new Set() })),
      mutes,
      limits,
    }
  }

  take(item: Judged): void {
    const { finding } = item
    const { nowMs } = this.#clock
    const window = this.#windowFor(item)
    this.#news.joins(window, item, this.#receivedMs(item))
    join(window, item, nowMs)
    summarise(window, item, this.#rules.get(finding.ruleId))
    this.#changed.add(window)
    this.#windowOf.set(item, window)
    if (finding.kind === 'match') this.#count(window, finding)
    if (window.opened || countOf(window) < window.body.threshold) return
    window.opened = true
    forgetUnique(window)
    window.createdMs = nowMs
    this.#opened.push(window)
  }

  /** A replay finds things now, whenever they happened. */
  #receivedMs(item: Judged): number {
    const { atMs, nowMs, retroactive } = this.#clock
    const ms = retroactive ? nowMs : atMs(item)
    return Number.isNaN(ms) ? nowMs : ms
  }

  #count(window: AlertWindow, match: Finding & { readonly kind: 'match' }): void {
    const wasEstimated = window.body.unique?.estimated ?? false
    countUnique(window, match, this.#windows.crowd(match.ruleId))
    if (!wasEstimated && window.body.unique?.estimated) this.#hit(match.ruleId, 'unique')
  }

  /** The window that the finding joins or begins. */
  #windowFor(item: Judged): AlertWindow {
    const { finding } = item
    const atMs = this.#clock.atMs(item)
    const groupKey = this.#keys.groupKeyOf(finding)
    const own = this.#windows.at(groupKey, atMs)
    if (own) return own
    const { ruleId } = finding
    if (finding.kind !== 'match' || this.#windows.crowd(ruleId) < this.#maxWindows) return this.#begin(item, groupKey, false)
    this.#hit(ruleId, 'dedup')
    const crowdKey = this.#keys.crowdKeyOf(ruleId)
    return this.#windows.at(crowdKey, atMs) ?? this.#begin(item, crowdKey, true)
  }

  #begin(item: Judged, groupKey: string, isCrowd: boolean): AlertWindow {
    const { finding } = item
    const { ruleId } = finding
    const rule = this.#rules.get(ruleId)
    const startMs = this.#clock.atMs(item)
    const { nowMs, retroactive } = this.#clock
    const number = this.#windows.nextNumber(groupKey)
    return this.#windows.add({
      alertId: alertIdOf(ruleId, groupKey, number),
      ruleId,
      groupKey,
      number,
      ruleVersion: rule?.version ?? null,
      ...(retroactive && { retroactive }),
      startMs,
      endMs: startMs + lengthOf(finding, this.#rules),
      opened: false,
      severity: severityOf(finding, rule),
      eventCount: 0,
      createdMs: nowMs,
      updatedMs: nowMs,
      body: learnedBody(isCrowd ? crowdBody(item, rule, this.#maxWindows) : bodyOf(item, rule), this.#clock.learned?.(item)),
    })
  }

  #hit(ruleId: string, what: LimitHit['what']): void {
    const key = `${what} ${ruleId}`
    this.#limits.set(key, { ruleId, what, n: (this.#limits.get(key)?.n ?? 0) + 1 })
  }
}

/** The id of a group's window: independent of who creates it, and of when within the window its matches arrive. */
export function alertIdOf(ruleId: string, groupKey: string, number: number): string {
  return hash16('window', groupKey, String(number)) + hash16('window', ruleId, groupKey, String(number))
}

/** How findings are grouped. */
interface Keys {
  readonly groupKeyOf: (finding: Finding) => string
  /** The group for matches of a rule that has too many windows. */
  readonly crowdKeyOf: (ruleId: string) => string
}

/** Live findings and those of replays never share a key, nor do replays of different versions of a rule. */
function keysOf(rules: ReadonlyMap<string, Rule>, { retroactive }: AlertClock): Keys {
  const key = (kind: string, ruleId: string, ...more: readonly string[]) =>
    retroactive ? hash16(`retroactive ${kind}`, ruleId, rules.get(ruleId)?.version ?? '', ...more) : hash16(kind, ruleId, ...more)
  const matchKey = (ruleId: string, dedup: string) => (retroactive ? key('match', ruleId, dedup) : matchGroupKey(ruleId, dedup))
  return {
    groupKeyOf: (finding) => (finding.kind === 'match' ? matchKey(finding.ruleId, finding.dedup) : key('error', finding.ruleId)),
    crowdKeyOf: (ruleId) => key('crowd', ruleId),
  }
}
