import type { Config } from '../config/config.ts'
import { type Route, routeOf } from '../pipeline/deliveries.ts'
import { isMirror } from '../stages/deliver/index.ts'

/** Where alerts go, as the configuration says. */
export function routesOf({ destinations }: Pick<Config, 'destinations'>): Route[] {
  return destinations.map((config) => ({ ...routeOf(config), mirrors: isMirror(config) }))
}
