import type { StoredAlert } from '../model/alert.ts'
import type { PastGeneration } from '../model/content-history.ts'
import { type AlertFilter, findAlert, listAlerts, storedAlert } from './alerts.ts'
import { contentTexts, pastGeneration, pastGenerations } from './content-history.ts'
import type { StateDb } from './db.ts'
import { deliveriesOfAlert } from './deliveries.ts'
import { type LimitCount, limitCounts } from './limits.ts'

/** One alert on its way to one destination. */
export interface StoredDelivery {
  readonly deliveryId: string
  readonly destination: string
  readonly state: 'pending' | 'delivered' | 'dead'
  readonly tries: number
  /** Epoch ms; of use while it is pending. */
  readonly nextMs: number
  /** Of the last try that failed. */
  readonly error: string | null
}

/** State as API and CLI read it: what they may ask, by name. Each method rejects with `StorageError` when the disk cannot be read. */
export interface StateReader {
  /** Alerts that people see, newest first. */
  alerts(filter: AlertFilter): Promise<readonly StoredAlert[]>
  /** One alert by its id or a unique prefix of it; `undefined` when no alert or several match. */
  alert(idPrefix: string): Promise<StoredAlert | undefined>
  deliveries(alertId: string): Promise<readonly StoredDelivery[]>
  /** True when one of these alerts has yet to be sent to one of these destinations. */
  isPending(alertIds: readonly string[], destinations: readonly string[]): Promise<boolean>
  /** The limits that rules reached, by rule. */
  limits(): Promise<readonly LimitCount[]>
  /** Content that was in force, the last first. */
  generations(limit: number): Promise<readonly PastGeneration[]>
  /** One by its number, or by its hash or the beginning of that; the last one without a name. `undefined`: there is none, or no longer. */
  generation(name: string | undefined): Promise<PastGeneration | undefined>
  /** Texts of content files by their hash; those that are not kept are missing. */
  contentTexts(hashes: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>
}

export function stateReader(db: StateDb): StateReader {
  return {
    alerts: async (filter) => (await listAlerts(db, filter)).map(storedAlert),
    async alert(idPrefix) {
      const row = await findAlert(db, idPrefix)
      return row && storedAlert(row)
    },
    deliveries: async (alertId) =>
      (await deliveriesOfAlert(db, alertId)).map((row) => ({
        deliveryId: row.delivery_id,
        destination: row.destination,
        state: row.state as StoredDelivery['state'],
        tries: row.tries,
        nextMs: row.next_ms,
        error: row.error === '' ? null : String(JSON.parse(row.error)),
      })),
    async isPending(alertIds, destinations) {
      if (alertIds.length === 0 || destinations.length === 0) return false
      const pending = await db
        .selectFrom('deliveries')
        .select('delivery_id')
        .where('alert_id', 'in', alertIds)
        .where('destination', 'in', destinations)
        .where('state', '=', 'pending')
        .executeTakeFirst()
      return pending !== undefined
    },
    limits: () => limitCounts(db),
    generations: (limit) => pastGenerations(db, limit),
    generation: async (name) => (name === undefined ? (await pastGenerations(db, 1))[0] : pastGeneration(db, name)),
    contentTexts: (hashes) => contentTexts(db, hashes),
  }
}
