import type { DeliveryResult } from '../../model/batch.ts'
import type { News } from '../../model/news.ts'
import type { StateDb } from '../../state/db.ts'
import { deliveredAlerts } from '../../state/deliveries.ts'

/** Publishes the alerts that were delivered. */
export async function deliveryNews(
  db: StateDb,
  results: readonly DeliveryResult[],
  publish: (news: News) => void,
): Promise<void> {
  const delivered = results.filter(({ kind }) => kind === 'delivered').map(({ deliveryId }) => deliveryId)
  for (const { alertId, destination } of await deliveredAlerts(db, delivered))
    publish({ kind: 'alert.delivered', subject: alertId, message: `Delivered to ${destination}.` })
}
