import { type SystemProblem, systemProblem } from '../../model/system-problem.ts'
import type { DeadDeliveries, FailingDeliveries } from '../../state/deliveries.ts'

/** Destinations that did not accept alerts that are still open. */
export function deliveryProblems(dead: readonly DeadDeliveries[]): SystemProblem[] {
  return dead.map(({ destination, alerts, alertIds, error }) => {
    const message = `Destination ${destination} did not accept ${alerts === 1 ? 'an open alert' : `${alerts} open alerts`}: ${error}`
    return systemProblem('DeliveryDead', destination, message, { covers: alertIds, notTo: [destination] })
  })
}

/** Destinations that do not accept alerts now, while deliveries are retried. */
export function failingProblems(failing: readonly FailingDeliveries[]): SystemProblem[] {
  return failing.map(({ destination, alerts, error }) => {
    const waiting = alerts === 1 ? 'an alert waits' : `${alerts} alerts wait`
    return systemProblem(
      'DestinationDown',
      destination,
      `Destination ${destination} is failing and ${waiting} for it: ${error}`,
      {
        notTo: [destination],
      },
    )
  })
}
