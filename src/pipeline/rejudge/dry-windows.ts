import type { AlertBody, AlertWindow, KnownGroup, KnownGroups } from '../../model/alert.ts'
import type { Decision } from '../../model/batch.ts'

/** Maximum number of windows that a dry run remembers. */
const MAX_WINDOWS = 100_000

/** A dry run's alert windows, which are not in the state. */
export class DryWindows {
  readonly #max: number
  readonly #windows = new Map<string, AlertWindow>()
  /** The same windows by group, so that a page looks at its own groups only. */
  readonly #byGroup = new Map<string, Map<string, AlertWindow>>()
  /** And the ends of windows by rule: window → epoch ms. */
  readonly #endsByRule = new Map<string, Map<string, number>>()
  readonly #numbers = new Map<string, number>()
  /** Windows were evicted: later matches that belong to them would begin new ones. */
  isCut = false

  constructor(max = MAX_WINDOWS) {
    this.#max = max
  }

  /** What a state with only these windows would return for the decision. */
  known({ groups: refs, fromMs, crowds: asked = [] }: Omit<Decision<unknown>, 'decide'>): KnownGroups {
    const crowds = new Map<string, number>()
    for (const { ruleIds, fromMs: after, toMs } of asked)
      for (const ruleId of ruleIds) {
        let n = 0
        for (const endMs of this.#endsByRule.get(ruleId)?.values() ?? []) if (endMs > after && endMs <= toMs) n++
        if (n > 0) crowds.set(ruleId, n)
      }
    const groups = new Map<string, KnownGroup>()
    for (const { groupKey } of refs) {
      const own = [...(this.#byGroup.get(groupKey)?.values() ?? [])].filter(({ endMs }) => endMs > fromMs)
      const windows = structuredClone(own).sort((a, b) => a.startMs - b.startMs || a.number - b.number)
      groups.set(groupKey, { windows, nextNumber: (this.#numbers.get(groupKey) ?? 0) + 1 })
    }
    return { groups, crowds }
  }

  /** The windows that are alerts, oldest first within a group. */
  get opened(): readonly AlertWindow[] {
    return [...this.#windows.values()].filter(({ opened }) => opened)
  }

  /** Stores the decision without what only alerts that are sent need, which is most of its size. */
  keep(windows: readonly AlertWindow[]): void {
    for (const window of windows) {
      this.#set({ ...window, body: bareBody(window.body) })
      this.#numbers.set(window.groupKey, Math.max(this.#numbers.get(window.groupKey) ?? 0, window.number))
    }
    for (const window of this.#windows.values()) {
      if (this.#windows.size <= this.#max) break
      this.#delete(window)
      this.isCut = true
    }
  }

  #set(window: AlertWindow): void {
    const { alertId, groupKey, ruleId, endMs } = window
    this.#windows.set(alertId, window)
    inner(this.#byGroup, groupKey).set(alertId, window)
    inner(this.#endsByRule, ruleId).set(alertId, endMs)
  }

  #delete({ alertId, groupKey, ruleId }: AlertWindow): void {
    this.#windows.delete(alertId)
    inner(this.#byGroup, groupKey).delete(alertId)
    if (this.#byGroup.get(groupKey)?.size === 0) this.#byGroup.delete(groupKey)
    inner(this.#endsByRule, ruleId).delete(alertId)
  }
}

function inner<V>(of: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const known = of.get(key)
  if (known) return known
  const made = new Map<string, V>()
  of.set(key, made)
  return made
}

/** What windows are decided by and what reports list. Everything is named, so that what bodies will have one day is not kept unnoticed. */
function bareBody({ type, title, dedup, threshold, firstEventTime, lastEventTime, notified, unique }: AlertBody): AlertBody {
  return {
    type,
    title,
    dedup,
    threshold,
    firstEventTime,
    lastEventTime,
    ...(notified && { notified }),
    ...(unique && { unique }),
    displayName: '',
    description: '',
    reference: '',
    runbook: '',
    tags: [],
    reports: {},
    destinations: null,
    context: null,
    functionErrors: {},
    logTypes: [],
    indicators: {},
    indicatorsCut: false,
    sampleEvent: null,
    latencyMs: null,
    sourceLabels: [],
  }
}
