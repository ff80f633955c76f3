import type { AlertType, AlertWindow, StoredAlert } from '../model/alert.ts'
import { isOver } from '../model/alert-work.ts'
import type { NewDelivery } from '../model/batch.ts'
import type { AlertChange } from '../model/outgoing-alert.ts'
import type { Rule, Severity } from '../model/rule.ts'
import { deliveryBody } from '../stages/deliver/body.ts'
import { hash16 } from '../util/hash.ts'

/** A possible destination of alerts: its id, and what it accepts. */
export interface Route {
  readonly id: string
  /** Empty: all. */
  readonly severities: readonly Severity[]
  /** Absent or empty: all. */
  readonly logTypes?: readonly string[]
  /** Absent or empty: all. */
  readonly alertTypes?: readonly AlertType[]
  /** False: no alerts of type `SYSTEM`. Absent: those too. */
  readonly system?: boolean
  /** Absent: only `opened`. */
  readonly sends?: readonly AlertChange[]
  /** True: what it has of an alert shows the alert's status and owner, so it is notified whenever these change. */
  readonly mirrors?: boolean
}

export interface Routing {
  readonly routes: readonly Route[]
  /** The product's own address, for links. */
  readonly baseUrl: string
}

type Rules = ReadonlyMap<string, Pick<Rule, 'outputIds'>>

/** A destination's configuration as a route. */
export function routeOf(config: {
  readonly id: string
  readonly severities: readonly Severity[]
  readonly log_types: readonly string[]
  readonly alert_types: readonly AlertType[]
  readonly system: boolean
  readonly send: readonly AlertChange[]
}): Route {
  const { id, severities, log_types: logTypes, alert_types: alertTypes, system, send } = config
  return { id, severities, logTypes, alertTypes, system, sends: send }
}

/** One delivery of an opened alert for each of its destinations. */
export function deliveriesOf(window: AlertWindow, rules: Rules, { routes, baseUrl }: Routing): NewDelivery[] {
  const to = routesOf(window, rules, routes).filter((route) => wants(route, 'opened'))
  return toEach(to, window, 'opened', '', window.createdMs, baseUrl)
}

/** A change of an alert that has been opened. */
export interface Change {
  /** `reopened`: matches or a person opened it again after it had ended. `changed`: its status or owner is another one. */
  readonly kind: 'updated' | 'reopened' | 'resolved' | 'changed'
  /** Distinguishes this change from the alert's others of the same kind; the same again if the same change is processed again. */
  readonly key: string
  readonly nowMs: number
  /** Destinations that the alert has had deliveries to. */
  readonly sentTo: ReadonlySet<string>
}

/**
 * The deliveries of a change. It goes to destinations that want changes of its kind and were sent the alert. A destination that the alert
 * only reaches now, because it became more severe, gets it as `opened`. So does one that is notified when alerts end, each time that the
 * alert is opened again: what it had opened for it has ended there. To others that is an update. One that mirrors alerts also gets
 * each change of the status or owner of an alert that it has.
 */
export function changeDeliveries(window: AlertWindow, change: Change, rules: Rules, { routes, baseUrl }: Routing): NewDelivery[] {
  const { kind, key, nowMs, sentTo } = change
  const now = new Set(routesOf(window, rules, routes))
  const mirrors = kind === 'updated' ? [] : routes.filter((route) => route.mirrors === true && sentTo.has(route.id))
  if (kind === 'changed') return toEach(mirrors, window, kind, key, nowMs, baseUrl)
  const sent = kind === 'reopened' ? 'updated' : kind
  const isNew = (route: Route) => now.has(route) && !sentTo.has(route.id) && wants(route, 'opened')
  const endedThere = (route: Route) => sentTo.has(route.id) && wants(route, 'opened') && wants(route, 'resolved')
  const opened = kind === 'resolved' ? [] : routes.filter(isNew)
  const again = kind === 'reopened' ? routes.filter(endedThere) : []
  const changed = routes.filter(
    (route) =>
      wants(route, sent) && !again.includes(route) && (sentTo.has(route.id) || (now.has(route) && !wants(route, 'opened'))),
  )
  return [
    ...toEach(opened, window, 'opened', '', nowMs, baseUrl),
    ...toEach(again, window, 'opened', key, nowMs, baseUrl),
    ...toEach(
      mirrors.filter((route) => !again.includes(route)),
      window,
      'changed',
      key,
      nowMs,
      baseUrl,
    ),
    ...toEach(changed, window, sent, key, nowMs, baseUrl),
  ]
}

/** What a person's change of an alert means to destinations. Opening it again is the same news as if a match had. */
export function kindOfChange(before: StoredAlert, after: StoredAlert): Change['kind'] {
  if (isOver(before) === isOver(after)) return 'changed'
  return isOver(after) ? 'resolved' : 'reopened'
}

/** The key of a change that people made, of the alert as it is afterwards. Keys of matches are plain numbers. */
export function changeKey({ version }: StoredAlert): string {
  return `v${version}`
}

/** The destinations that the rule chose (in its code, else in its file), or else those that accept such alerts. */
function routesOf(window: AlertWindow, rules: Rules, routes: readonly Route[]): readonly Route[] {
  const { severity, ruleId, body } = window
  const accepting = routes.filter(({ system }) => body.type !== 'SYSTEM' || system !== false)
  const chosen = body.destinations ?? nonEmpty(rules.get(ruleId)?.outputIds)
  if (chosen?.length === 1 && chosen[0] === 'SKIP') return []
  if (chosen?.every((name) => routes.some((route) => route.id === name))) return accepting.filter(({ id }) => chosen.includes(id))
  return accepting.filter(
    ({ severities, logTypes = [], alertTypes = [] }) =>
      (severities.length === 0 || severities.includes(severity)) &&
      (logTypes.length === 0 || body.logTypes.length === 0 || body.logTypes.some((type) => logTypes.includes(type))) &&
      (alertTypes.length === 0 || alertTypes.includes(body.type)),
  )
}

function wants({ sends = ['opened'] }: Route, kind: AlertChange): boolean {
  return sends.includes(kind)
}

/** `key` distinguishes deliveries of the same kind to the same destination; '' for the first one that opens the alert there. */
function toEach(
  routes: readonly Route[],
  window: AlertWindow,
  kind: AlertChange | 'changed',
  key: string,
  createdMs: number,
  baseUrl: string,
): NewDelivery[] {
  const body = routes.length > 0 ? deliveryBody(window, baseUrl, kind) : ''
  const what = key === '' ? [] : [kind, key]
  return routes.map(({ id }) => ({
    deliveryId: hash16('delivery', window.alertId, id, ...what) + hash16(id, window.alertId, ...what),
    alertId: window.alertId,
    destination: id,
    body,
    createdMs,
    kind,
  }))
}

function nonEmpty<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list && list.length > 0 ? list : undefined
}
