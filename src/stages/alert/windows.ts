import type { AlertWindow, KnownGroups } from '../../model/alert.ts'

/** Windows of one group. */
interface Group {
  /** Sorted by start. */
  readonly windows: AlertWindow[]
  /** When the last of them ends. */
  endMs: number
  nextNumber: number
}

/** The windows of the current groups: stored ones and those begun since. */
export class Windows {
  readonly #groups = new Map<string, Group>()
  readonly #crowds: Map<string, number>

  constructor({ groups, crowds }: KnownGroups) {
    this.#crowds = new Map(crowds)
    for (const [key, { windows, nextNumber }] of groups) {
      const endMs = windows.reduce((latest, window) => Math.max(latest, window.endMs), Number.NEGATIVE_INFINITY)
      this.#groups.set(key, { windows: [...windows], endMs, nextNumber })
    }
  }

  /** How many windows of a rule are open or ended recently. */
  crowd(ruleId: string): number {
    return this.#crowds.get(ruleId) ?? 0
  }

  /** The number of the group's next window. */
  nextNumber(key: string): number {
    return this.#groups.get(key)?.nextNumber ?? 1
  }

  /** Adds the group's next window. */
  add(window: AlertWindow): AlertWindow {
    const { groupKey, ruleId, number: nextNumber, endMs } = window
    const group = this.#groups.get(groupKey) ?? { windows: [], endMs, nextNumber }
    this.#groups.set(groupKey, group)
    this.#crowds.set(ruleId, this.crowd(ruleId) + 1)
    const { windows } = group
    let at = windows.length
    while (at > 0 && windows[at - 1]!.startMs > window.startMs) at--
    windows.splice(at, 0, window)
    group.endMs = Math.max(group.endMs, endMs)
    group.nextNumber = nextNumber + 1
    return window
  }

  /**
   * The window that covers the time; the latest if there are several. Sources are read side by side, so a match may be older than the
   * one that began its group: then it joins the next window, if that begins within a window's length. Otherwise one burst would raise
   * two alerts. A match without a time joins the last window.
   */
  at(key: string, atMs: number): AlertWindow | undefined {
    const group = this.#groups.get(key)
    if (!group || atMs >= group.endMs) return undefined
    const { windows } = group
    if (Number.isNaN(atMs)) return windows.at(-1)
    let behind: AlertWindow | undefined
    for (let i = windows.length - 1; i >= 0; i--) {
      const window = windows[i]!
      if (window.startMs > atMs) behind = window
      else if (atMs < window.endMs) return window
    }
    return behind && atMs + behind.endMs - behind.startMs > behind.startMs ? behind : undefined
  }
}
