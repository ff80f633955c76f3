import type { AlertWindow } from '../model/alert.ts'
import type { NewDelivery } from '../model/batch.ts'
import type { Rule } from '../model/rule.ts'
import { deliveryBody } from '../stages/deliver/body.ts'
import { hash16 } from '../util/hash.ts'

/** A possible destination of alerts: its id, and what it accepts. */
export interface Route {
  readonly id: string
  /** Empty: all. */
  readonly severities: readonly string[]
  /** False: no alerts of type `SYSTEM`. Absent: those too. */
  readonly system?: boolean
}

export interface Routing {
  readonly routes: readonly Route[]
  /** The product's own address, for links. */
  readonly baseUrl: string
}

/** One delivery for each of the alert's destinations: those the rule chose, or else by severity. */
export function deliveriesOf(window: AlertWindow, rules: ReadonlyMap<string, Rule>, { routes, baseUrl }: Routing): NewDelivery[] {
  const chosen = window.body.destinations ?? nonEmpty(rules.get(window.ruleId)?.outputIds)
  if (chosen?.length === 1 && chosen[0] === 'SKIP') return []
  const known = chosen?.every((name) => routes.some((route) => route.id === name)) ? chosen : undefined
  const to = routes.filter(({ id, severities, system }) => {
    if (window.body.type === 'SYSTEM' && system === false) return false
    return known ? known.includes(id) : severities.length === 0 || severities.includes(window.severity)
  })
  const body = to.length > 0 ? deliveryBody(window, baseUrl) : ''
  return to.map(({ id }) => ({
    deliveryId: hash16('delivery', window.alertId, id) + hash16(id, window.alertId),
    alertId: window.alertId,
    destination: id,
    body,
    createdMs: window.createdMs,
  }))
}

function nonEmpty<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list && list.length > 0 ? list : undefined
}
