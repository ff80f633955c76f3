import { z } from 'zod'
import { targetUrl } from '../../../util/http/target-url.ts'
import { defineProvider } from '../provider.ts'
import { TableError } from '../table.ts'
import { ServiceSession, serviceLimits } from './session.ts'

const NOT_MODIFIED = 304
const NOT_FOUND = 404

/** DB-IP's free databases (https://db-ip.com/db/lite.php): one file a month, whose name has the month. */
export const dbip = defineProvider({
  type: 'dbip',
  summary: "Fetches one of DB-IP's free databases of this month, or of the last until this month's is there.",
  config: z.object({
    database: z.enum(['city', 'country', 'asn']).describe('Which database.'),
    url: targetUrl.default('https://download.db-ip.com/free/').describe('Where the files are.'),
    ...serviceLimits,
  }),
  example: { database: 'asn' },
  isLocal: false,
  periodMinutes: 1440,

  create({ database, url, ...limits }, deps) {
    return {
      async refresh(validators, signal) {
        const session = new ServiceSession(deps, limits, signal)
        for (const month of months(new Date())) {
          const name = `dbip-${database}-lite-${month}.mmdb.gz`
          const place = new URL(name, url.endsWith('/') ? url : `${url}/`)
          const isSame = validators['name'] === name && validators['etag'] !== undefined
          const headers = isSame ? { 'if-none-match': validators['etag']! } : {}
          const answer = await session.answer({ url: place, headers }, [NOT_MODIFIED, NOT_FOUND])
          if (answer.status === NOT_MODIFIED) return undefined
          if (answer.status === NOT_FOUND) continue
          const etag = answer.headers.get('etag')
          return { bytes: answer.body, validators: { name, ...(etag && { etag }) } }
        }
        throw new TableError(`there is no database '${database}' of this month or the last at ${new URL(url).origin}`)
      },
    }
  },
})

/** This month and the last, as `2024-03`. */
export function months(now: Date): [string, string] {
  const last = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1))
  return [now.toISOString().slice(0, 7), last.toISOString().slice(0, 7)]
}
