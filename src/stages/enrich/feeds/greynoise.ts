import { z } from 'zod'
import { isObject, type JsonObject, type JsonValue } from '../../../model/json.ts'
import { targetUrl } from '../../../util/http/target-url.ts'
import { authorize } from '../auth.ts'
import { defineProvider } from '../provider.ts'
import { TableError } from '../table.ts'
import { fetchedRows, keyName, listAt, ServiceSession, serviceLimits } from './session.ts'

/** Addresses in one answer: the most that the service gives. */
const PAGE = 10_000

/** The paths of the query, and where its answer says whether there are more pages. */
const VERSIONS = {
  2: { path: '/v2/experimental/gnql', about: (json: JsonObject) => json },
  3: { path: '/v3/gnql', about: (json: JsonObject) => (isObject(json['request_metadata']) ? json['request_metadata'] : {}) },
} as const

/** GreyNoise's query language (https://docs.greynoise.io): all addresses that a query finds, as the format `greynoise` reads them. */
export const greynoise = defineProvider({
  type: 'greynoise',
  summary: 'Fetches the answers of a GNQL query of GreyNoise, page by page, as JSON lines for the format `greynoise`.',
  config: z.object({
    key: keyName.describe('Name of a key in the configuration (`keys`): an API key of GreyNoise.'),
    query: z.string().min(1).max(4000).default('last_seen:1d').describe('The query, in GNQL.'),
    version: z
      .union([z.literal(2), z.literal(3)])
      .default(3)
      .describe('Version of the API.'),
    max_addresses: z.int().min(1).default(200_000).describe('More addresses than this are a failure: narrow the query down.'),
    url: targetUrl.default('https://api.greynoise.io').describe('Address of the API.'),
    ...serviceLimits,
  }),
  example: { key: 'greynoise', query: 'classification:malicious last_seen:1d' },
  isLocal: false,
  periodMinutes: 1440,

  create({ key, query, version, max_addresses: most, url, ...limits }, deps) {
    const { path, about } = VERSIONS[version]
    return {
      async refresh(validators, signal) {
        const session = new ServiceSession(deps, limits, signal)
        const request = (scroll?: string) => {
          const page = new URL(path, url)
          page.search = new URLSearchParams({ query, size: String(Math.min(PAGE, most)), ...(scroll && { scroll }) }).toString()
          return authorize({ url: page.href, headers: { accept: 'application/json' } }, { key, header: 'key' }, deps.keys)
        }
        const rows: JsonObject[] = []
        for await (const { json } of session.pages(request(), ({ json }) => nextPage(json, about, request))) {
          rows.push(...listAt(json, 'data'))
          if (rows.length > most) {
            throw new TableError(`the query finds more than ${most} addresses: narrow it down or raise max_addresses`)
          }
        }
        return fetchedRows(rows, validators, limits)
      },
    }
  },
})

function nextPage<R>(json: JsonValue, about: (json: JsonObject) => JsonObject, request: (scroll: string) => R): R | undefined {
  const { complete, scroll } = isObject(json) ? about(json) : {}
  return complete === false && typeof scroll === 'string' && scroll !== '' ? request(scroll) : undefined
}
