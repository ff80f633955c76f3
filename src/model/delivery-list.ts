import type { DeliveryKind } from './outgoing-alert.ts'

/** Which deliveries: those that meet all conditions. */
export interface DeliveryFilter {
  readonly state?: 'pending' | 'delivered' | 'dead' | undefined
  readonly destination?: string | undefined
  readonly alertId?: string | undefined
  readonly deliveryIds?: readonly string[] | undefined
}

/** A delivery with the alert that it is about. */
export interface ListedDelivery {
  readonly deliveryId: string
  readonly alertId: string
  /** '' if the alert has been deleted. */
  readonly title: string
  readonly severity: string
  readonly destination: string
  readonly kind: DeliveryKind
  readonly state: 'pending' | 'delivered' | 'dead'
  readonly tries: number
  readonly createdMs: number
  /** When it is tried next, or, once it is not pending, when it was last tried. Epoch ms. */
  readonly nextMs: number
  /** Of the last failed attempt. */
  readonly error: string | null
  /** The digest that carried it. */
  readonly digestId: string | null
}
