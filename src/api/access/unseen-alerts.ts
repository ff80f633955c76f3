import type { Engine } from '../../engine/engine.ts'
import type { StoredAlert } from '../../model/alert.ts'
import { HIDDEN_ALERT, type TimelineEntry } from '../../model/alert-work.ts'
import { sees } from '../../util/glob.ts'

/** Puts `HIDDEN_ALERT` in place of the ids of other alerts, unless they may be seen by who may see these log types. */
export class UnseenAlerts {
  readonly #read: Pick<Engine['read'], 'alert'>
  readonly #isSeen: (logTypes: readonly string[]) => boolean
  readonly #known = new Map<string, Promise<string>>()

  constructor(read: Pick<Engine['read'], 'alert'>, logTypes: readonly string[]) {
    this.#read = read
    this.#isSeen = sees(logTypes)
  }

  /** The id, or `HIDDEN_ALERT` if the alert is not seen or not stored any more. */
  shown(alertId: string): Promise<string> {
    const known = this.#known.get(alertId) ?? this.#find(alertId)
    this.#known.set(alertId, known)
    return known
  }

  async alert(alert: StoredAlert): Promise<StoredAlert> {
    return alert.mergedInto === null ? alert : { ...alert, mergedInto: await this.shown(alert.mergedInto) }
  }

  async entry(entry: TimelineEntry): Promise<TimelineEntry> {
    const { happening } = entry
    if (happening.kind === 'merged' || happening.kind === 'unmerged')
      return { ...entry, happening: { ...happening, alert_id: await this.shown(happening.alert_id) } }
    if (happening.kind !== 'changed' || happening.field !== 'merged_into') return entry
    const [from, to] = await Promise.all(
      [happening.from, happening.to].map((id) => (typeof id === 'string' ? this.shown(id) : id)),
    )
    return { ...entry, happening: { ...happening, from: from!, to: to! } }
  }

  async #find(alertId: string): Promise<string> {
    const alert = await this.#read.alert(alertId)
    return alert && this.#isSeen(alert.body.logTypes) ? alertId : HIDDEN_ALERT
  }
}
