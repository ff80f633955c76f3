import { type SystemProblem, systemProblem } from '../../model/system-problem.ts'
import type { DeadDeliveries } from '../../state/deliveries.ts'

/** Destinations that did not take alerts that are still open. */
export function deliveryProblems(dead: readonly DeadDeliveries[]): SystemProblem[] {
  return dead.map(({ destination, alerts, alertIds, error }) => {
    const message = `Destination ${destination} did not take ${alerts === 1 ? 'an open alert' : `${alerts} open alerts`}; the last time: ${error}`
    return systemProblem('DeliveryDead', destination, message, { covers: alertIds, notTo: [destination] })
  })
}
