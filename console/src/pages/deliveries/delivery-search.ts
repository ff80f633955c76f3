/** A list of deliveries, as it is in the page's URL. */
export interface DeliverySearch {
  state?: 'pending' | 'delivered' | 'dead'
  destination?: string
}

export function readDeliverySearch({ state, destination }: Record<string, unknown>): DeliverySearch {
  const search: DeliverySearch = {}
  if (state === 'pending' || state === 'delivered' || state === 'dead') search.state = state
  if (typeof destination === 'string' && destination !== '') search.destination = destination.slice(0, 100)
  return search
}
