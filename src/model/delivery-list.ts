import type { ListedKind } from './outgoing-alert.ts'

/** Which deliveries: those that meet all conditions. */
export interface DeliveryFilter {
  readonly state?: 'pending' | 'delivered' | 'dead' | undefined
  readonly destination?: string | undefined
  readonly alertId?: string | undefined
  readonly deliveryIds?: readonly string[] | undefined
}

/** Where a delivery stands in the list, which is by time. */
export interface DeliveryPlace {
  readonly createdMs: number
  /** Of deliveries of the same time. */
  readonly order: number
}

/** A delivery with what it is about. */
export interface ListedDelivery extends DeliveryPlace {
  readonly deliveryId: string
  /** '' if it is not about an alert but mails rows of a query. */
  readonly alertId: string
  /** '' if the alert has been deleted. */
  readonly title: string
  readonly severity: string
  readonly destination: string
  readonly kind: ListedKind
  readonly state: 'pending' | 'delivered' | 'dead'
  readonly tries: number
  /** When it is tried next, or, once it is not pending, when it was last tried. Epoch ms. */
  readonly nextMs: number
  /** Of the last failed attempt. */
  readonly error: string | null
  /** The digest that carried it. */
  readonly digestId: string | null
}
