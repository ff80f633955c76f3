import type { ContentView, Engine } from '../../engine/engine.ts'
import type { StoredAlert } from '../../model/alert.ts'
import type { NumberedNews } from '../../model/news.ts'
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
  const isSeenRule = (logTypes: readonly string[], ruleId: string) =>
    seenContent(engine.content, logTypes).rules.some(({ id }) => id === ruleId)
  const read = closing(engine.read, 'read', {
    alerts: (logTypes) => async (filter, page) => {
      const unseen = new UnseenAlerts(engine.read, logTypes)
      const found = await engine.read.alerts({ ...filter, seenLogTypes: logTypes }, page)
      return { ...found, alerts: await Promise.all(found.alerts.map((alert) => unseen.alert(alert))) }
    },
    alertCounts: (logTypes) => (filter) => engine.read.alertCounts({ ...filter, seenLogTypes: logTypes }),
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
    limits: (logTypes) => async () => (await engine.read.limits()).filter(({ ruleId }) => isSeenRule(logTypes, ruleId)),
    alertQualities: (logTypes) => async (sinceMs) =>
      (await engine.read.alertQualities(sinceMs)).filter(({ ruleId }) => isSeenRule(logTypes, ruleId)),
    ruleAlerts: (logTypes) => async (ruleId, sinceMs) => {
      if (!isSeenRule(logTypes, ruleId)) throw closed(`rule ${ruleId}`)
      return engine.read.ruleAlerts(ruleId, sinceMs)
    },
  } satisfies Limited<Read>)
  return closing(
    engine,
    'engine',
    {
      query: (logTypes) => (sql, options) => engine.query(sql, { ...options, logTypes }),
      // Its queries are limited when they run, and those of anybody else are not there.
      jobs: (logTypes) => (owner) => engine.jobs({ ...owner, logTypes }),
      news: () => (since, listener) => {
        const about = ({ kind }: NumberedNews) => kind.startsWith('alert.')
        const { missed, stop } = engine.news(since, (news) => about(news) && listener(news))
        return { missed: missed?.filter(about), stop }
      },
      desk: (logTypes) => ((ask: Parameters<Desk>[0]) => deskOf(engine, ask, logTypes)) as Desk,
      ruleStates: (logTypes) => (rules) => {
        for (const { id } of rules) if (!isSeenRule(logTypes, id)) throw closed(`rule ${id}`)
        return engine.ruleStates(rules)
      },
      // As for a rule that does not exist.
      ruleText: (logTypes) => async (id) => engine.ruleText(isSeenRule(logTypes, id) ? id : ''),
    },
    {
      get config() {
        return engine.config
      },
      read,
      // Accounts have nothing of events; what callers may do with them is a matter of their role.
      accounts: engine.accounts,
      get content() {
        const logTypes = currentCaller()?.logTypes
        return logTypes ? seenContent(engine.content, logTypes) : engine.content
      },
    },
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

/** The rules that only judge these log types, and their schemas; nothing of what concerns all content. */
function seenContent({ rules, schemas }: ContentView, logTypes: readonly string[]): ContentView {
  const isSeen = sees(logTypes)
  return {
    rules: rules.filter((rule) => isSeen(rule.logTypes)),
    schemas: schemas.filter((name) => isSeen([name])),
    tables: 0,
    schemaFiles: [],
    ...{ problems: [], broken: [], names: [], rulesOff: [], notices: [] },
  }
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
    case 'hold':
    case 'unmerge':
      return [ask.alertId]
    default:
      return undefined
  }
}
