import type { Engine } from '../../engine/engine.ts'
import type { StoredAlert } from '../../model/alert.ts'
import { sees } from '../../util/glob.ts'
import { ApiError } from '../errors.ts'
import { currentCaller } from './caller.ts'
import { UnseenAlerts } from './unseen-alerts.ts'

type Read = Engine['read']
type Desk = Engine['desk']

/**
 * The engine as the current caller sees it. Callers who may only see some log types get nothing of others from the members that are
 * limited here, and every other member refuses them; so a new one is closed to them until it is added here.
 */
export function sighted(engine: Engine): Engine {
  const read = closing(engine.read, 'read', {
    alerts: (logTypes) => async (filter, page) => {
      const unseen = new UnseenAlerts(engine.read, logTypes)
      const found = await engine.read.alerts({ ...filter, seenLogTypes: logTypes }, page)
      return { ...found, alerts: await Promise.all(found.alerts.map((alert) => unseen.alert(alert))) }
    },
    alert: (logTypes) => async (id) => {
      const alert = seen(await engine.read.alert(id), logTypes)
      return alert && new UnseenAlerts(engine.read, logTypes).alert(alert)
    },
    deliveries: (logTypes) => async (id) => (seen(await engine.read.alert(id), logTypes) ? engine.read.deliveries(id) : []),
    timeline: (logTypes) => async (id, page) => {
      if (!seen(await engine.read.alert(id), logTypes)) return []
      const unseen = new UnseenAlerts(engine.read, logTypes)
      return Promise.all((await engine.read.timeline(id, page)).map((entry) => unseen.entry(entry)))
    },
  } satisfies Limited<Read>)
  return closing(
    engine,
    'engine',
    {
      query: (logTypes) => (sql, options) => engine.query(sql, { ...options, logTypes }),
      desk: (logTypes) => ((ask: Parameters<Desk>[0]) => deskOf(engine, ask, logTypes)) as Desk,
    },
    { config: engine.config, read },
  )
}

/** Members of an object that are limited to log types, given these. */
type Limited<T> = { readonly [K in keyof T]?: (logTypes: readonly string[]) => T[K] }

/** The object with those members limited when they are called, `open` ones in place of its own, and all others closed. */
function closing<T extends object>(target: T, what: string, limited: Limited<T>, open: Partial<T> = {}): T {
  return new Proxy(target, {
    get(object, key) {
      if (Object.hasOwn(open, key)) return Reflect.get(open, key)
      const member: unknown = Reflect.get(object, key)
      const limit = Object.hasOwn(limited, key) ? limited[key as keyof T] : undefined
      if (typeof member !== 'function') {
        if (currentCaller()?.logTypes) throw closed(`${what}.${String(key)}`)
        return member
      }
      return (...args: unknown[]): unknown => {
        const logTypes = currentCaller()?.logTypes
        if (!logTypes) return Reflect.apply(member, object, args)
        if (!limit) throw closed(`${what}.${String(key)}`)
        return Reflect.apply(limit(logTypes) as (...args: unknown[]) => unknown, undefined, args)
      }
    },
  })
}

function closed(member: string): ApiError {
  const types = currentCaller()?.logTypes?.join(', ')
  return new ApiError(
    403,
    'forbidden',
    `you may only see the log types ${types}, and this (${member}) cannot be limited to those`,
  )
}

/** The alert, if each of its log types may be seen. */
function seen(alert: StoredAlert | undefined, logTypes: readonly string[]): StoredAlert | undefined {
  return alert && sees(logTypes)(alert.body.logTypes) ? alert : undefined
}

async function deskOf(engine: Engine, ask: Parameters<Desk>[0], logTypes: readonly string[]): Promise<unknown> {
  const ids = alertsOf(ask)
  if (!ids) throw closed(`desk ${ask.do}`)
  for (const id of ids) if (!seen(await engine.read.alert(id), logTypes)) throw closed(`alert ${id}`)
  switch (ask.do) {
    // Merged alerts have one status: the change itself finds out whether all of them are seen.
    case 'change':
    case 'unmerge':
      return engine.desk({ ...ask, seenLogTypes: logTypes })
    case 'merge': {
      const outcome = await engine.desk(ask)
      if (outcome.kind !== 'merged') return outcome
      return { ...outcome, into: await new UnseenAlerts(engine.read, logTypes).shown(outcome.into) }
    }
    default:
      return engine.desk(ask)
  }
}

/** The alerts that are changed; `undefined` if something else is. */
function alertsOf(ask: Parameters<Desk>[0]): readonly string[] | undefined {
  switch (ask.do) {
    case 'change':
      return ask.alertIds
    case 'merge':
      return [ask.parentId, ...ask.alertIds]
    case 'comment':
    case 'unmerge':
      return [ask.alertId]
    default:
      return undefined
  }
}
