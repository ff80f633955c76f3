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
  /** Epoch ms; only meaningful while pending. */
  readonly nextMs: number
  /** Of the last failed attempt. */
  readonly error: string | null
}

/** The queries that the API and CLI can make. Each method rejects with `StorageError` if the disk cannot be read. */
export interface StateReader {
  /** Opened alerts, newest first. */
  alerts(filter: AlertFilter): Promise<readonly StoredAlert[]>
  /** The alert with this id or unique prefix; `undefined` if none or several match. */
  alert(idPrefix: string): Promise<StoredAlert | undefined>
  deliveries(alertId: string): Promise<readonly StoredDelivery[]>
  /** True if any of these alerts still has to be sent to any of these destinations. */
  isPending(alertIds: readonly string[], destinations: readonly string[]): Promise<boolean>
  /** The limits that rules reached, by rule. */
  limits(): Promise<readonly LimitCount[]>
  /** Past and current content, newest first. */
  generations(limit: number): Promise<readonly PastGeneration[]>
  /** The generation with this number, hash or hash prefix; by default the latest. `undefined` if it never existed or has been deleted. */
  generation(name: string | undefined): Promise<PastGeneration | undefined>
  /** Texts of content files by hash, without those that are not stored. */
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
