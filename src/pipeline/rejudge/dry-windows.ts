import type { AlertBody, AlertWindow, KnownGroup, KnownGroups } from '../../model/alert.ts'
import type { Decision } from '../../model/batch.ts'

/** Maximum number of windows that a dry run remembers. */
const MAX_WINDOWS = 100_000

/** A dry run's alert windows, which are not in the state. */
export class DryWindows {
  readonly #max: number
  readonly #windows = new Map<string, AlertWindow>()
  readonly #numbers = new Map<string, number>()
  /** Windows were evicted: later matches that belong to them would begin new ones. */
  isCut = false

  constructor(max = MAX_WINDOWS) {
    this.#max = max
  }

  /** What a state with only these windows would return for the decision. */
  known({ groups: refs, fromMs, crowds: asked = [] }: Omit<Decision<unknown>, 'decide'>): KnownGroups {
    const open = new Map<string, AlertWindow[]>(refs.map(({ groupKey }) => [groupKey, []]))
    const crowds = new Map<string, number>()
    const refOf = new Map(asked.flatMap((crowd) => crowd.ruleIds.map((ruleId) => [ruleId, crowd] as const)))
    for (const window of this.#windows.values()) {
      const { ruleId, groupKey, endMs } = window
      const crowd = refOf.get(ruleId)
      if (crowd && endMs > crowd.fromMs && endMs <= crowd.toMs) crowds.set(ruleId, (crowds.get(ruleId) ?? 0) + 1)
      if (endMs > fromMs) open.get(groupKey)?.push(structuredClone(window))
    }
    const groups = new Map<string, KnownGroup>()
    for (const [groupKey, windows] of open) {
      windows.sort((a, b) => a.startMs - b.startMs || a.number - b.number)
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
      this.#windows.set(window.alertId, { ...window, body: bareBody(window.body) })
      this.#numbers.set(window.groupKey, Math.max(this.#numbers.get(window.groupKey) ?? 0, window.number))
    }
    for (const id of this.#windows.keys()) {
      if (this.#windows.size <= this.#max) break
      this.#windows.delete(id)
      this.isCut = true
    }
  }
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
