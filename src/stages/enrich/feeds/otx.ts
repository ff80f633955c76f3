import { z } from 'zod'
import { isObject, type JsonObject, type JsonValue } from '../../../model/json.ts'
import { targetUrl } from '../../../util/http/target-url.ts'
import { authorize } from '../auth.ts'
import { defineProvider } from '../provider.ts'
import { arrayAt } from './identity.ts'
import { fetchedRows, keyName, listAt, ServiceSession, serviceLimits } from './session.ts'

const PAGE = 50
const DAY_MS = 86_400_000

/** What a table has, by OTX's names of indicator types. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  ip: ['IPv4', 'IPv6'],
  domain: ['domain', 'hostname'],
  hash: ['FileHash-MD5', 'FileHash-SHA1', 'FileHash-SHA256'],
  url: ['URL'],
  email: ['email'],
}

/** What a row says of its pulse. */
const PULSE = [
  'id',
  'name',
  'description',
  'created',
  'modified',
  'tags',
  'industries',
  'references',
  'tlp',
  'adversary',
  'author_name',
] as const

/**
 * AlienVault OTX (https://otx.alienvault.com/api): the indicators of the pulses that the key's account subscribes to. Each row has the
 * indicator and the newest pulse that names it, as Panther's helpers read them.
 */
export const otx = defineProvider({
  type: 'otx',
  summary: 'Fetches the indicators of the OTX pulses that an account subscribes to, as JSON lines.',
  config: z.object({
    key: keyName.describe('Name of a key in the configuration (`keys`): an API key of OTX.'),
    indicators: z.enum(['ip', 'domain', 'hash', 'url', 'email']).default('ip').describe('Which indicators the table has.'),
    days: z.int().min(1).max(3650).default(90).describe('Only pulses that changed within this many days.'),
    url: targetUrl.default('https://otx.alienvault.com').describe('Address of the API.'),
    ...serviceLimits,
  }),
  example: { key: 'otx', indicators: 'ip', days: 30 },
  isLocal: false,
  periodMinutes: 360,

  create({ key, indicators, days, url, ...limits }, deps) {
    const wanted = new Set(TYPES[indicators])
    return {
      async refresh(validators, signal) {
        const session = new ServiceSession(deps, limits, signal)
        const request = (page: string | URL) =>
          authorize({ url: String(page), headers: { accept: 'application/json' } }, { key, header: 'X-OTX-API-KEY' }, deps.keys)
        const first = new URL('/api/v1/pulses/subscribed', url)
        first.searchParams.set('limit', String(PAGE))
        first.searchParams.set('modified_since', new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 19))
        const pages = session.pages(request(first), ({ json }) => {
          const next = isObject(json) ? json['next'] : undefined
          return typeof next === 'string' && next !== '' ? request(next) : undefined
        })
        const rows = new Map<string, JsonObject>()
        for await (const { json } of pages) {
          for (const pulse of listAt(json, 'results')) {
            for (const row of rowsOf(pulse, wanted)) {
              const before = rows.get(row['indicator'] as string)
              if (!before || String(before['modified'] ?? '') < String(row['modified'] ?? ''))
                rows.set(row['indicator'] as string, row)
            }
          }
        }
        return fetchedRows([...rows.values()], validators, limits)
      },
    }
  },
})

function* rowsOf(pulse: JsonObject, wanted: ReadonlySet<string>): Generator<JsonObject> {
  const about = Object.fromEntries(
    PULSE.filter((name) => pulse[name] !== undefined && pulse[name] !== null).map((name) => [name, pulse[name]!]),
  )
  const lists = {
    malware_families: names(pulse, 'malware_families'),
    target_countries: names(pulse, 'targeted_countries'),
    attack_ids: names(pulse, 'attack_ids'),
  }
  for (const one of arrayAt(pulse, 'indicators')) {
    if (!isObject(one) || typeof one['indicator'] !== 'string' || !wanted.has(String(one['type']))) continue
    if (one['is_active'] === 0 || one['is_active'] === false) continue
    yield {
      ...about,
      ...lists,
      indicator: one['indicator'],
      indicator_type: one['type'] ?? null,
      indicator_created: one['created'] ?? null,
      ...(one['expiration'] ? { indicator_expiration: one['expiration'] } : {}),
    }
  }
}

/** Names of a list whose elements are texts or objects with a `display_name` or `id`. */
function names(pulse: JsonObject, name: string): string[] {
  return arrayAt(pulse, name).flatMap((one: JsonValue) => {
    const text = isObject(one) ? (one['display_name'] ?? one['id']) : one
    return typeof text === 'string' ? [text] : []
  })
}
