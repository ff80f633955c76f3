import { z } from 'zod'
import { isObject, type JsonObject, type JsonValue } from '../../../model/json.ts'
import { ArchiveError } from '../../../util/archive/entry.ts'
import { zipEntries } from '../../../util/archive/zip.ts'
import { targetUrl } from '../../../util/http/target-url.ts'
import { parseJson } from '../../../util/json.ts'
import { tooLarge } from '../content.ts'
import { defineProvider } from '../provider.ts'
import { TableError } from '../table.ts'
import { fetchedRows, ServiceSession, serviceLimits } from './session.ts'

const MAX_DEPTH = 8
/** All lists together may be this many times as large as one: the files of an archive may share their bytes, so a small one could hold any number. */
const MAX_LISTS = 8
/** A list in an archive of the repository. */
const LIST = /(?:^|\/)lists\/([\w.-]+)\/list\.json$/

/**
 * All MISP warning lists of networks as one table: a row for each network, with the lists that have it, as Panther's helpers read them. They
 * come in an archive of the lists' repository (https://github.com/MISP/misp-warninglists).
 */
export const misp = defineProvider({
  type: 'misp',
  summary: 'Joins the MISP warning lists of networks, from a ZIP archive of their repository, to JSON lines.',
  config: z.object({
    url: targetUrl
      .default('https://github.com/MISP/misp-warninglists/archive/refs/heads/main.zip')
      .describe('The ZIP archive of the repository.'),
    ...serviceLimits,
  }),
  example: {},
  isLocal: false,
  periodMinutes: 1440,

  create({ url, ...limits }, deps) {
    return {
      async refresh(validators, signal) {
        const session = new ServiceSession(deps, limits, signal)
        const networks = new Map<string, JsonObject[]>()
        let left = limits.max_bytes * MAX_LISTS
        try {
          for (const entry of zipEntries(await session.bytes({ url }))) {
            const id = LIST.exec(entry.name)?.[1]
            if (id === undefined) continue
            const content = await entry.read(limits.max_bytes)
            left -= content.length
            if (left < 0) throw new TableError(`the lists together are larger than ${MAX_LISTS} times the provider's max_bytes`)
            addList(networks, id, readList(entry.name, content))
          }
        } catch (error) {
          if (!(error instanceof ArchiveError)) throw error
          throw error.isTooLarge ? tooLarge(limits.max_bytes) : new TableError(`the archive ${error.message}`, { cause: error })
        }
        const rows = [...networks].map(([cidr, lists]) => ({ cidr, warning_lists: lists }))
        return fetchedRows(rows, validators, limits)
      },
    }
  },
})

function readList(name: string, content: Uint8Array): JsonObject {
  const read = parseJson(Buffer.from(content).toString(), { maxDepth: MAX_DEPTH })
  if (read.kind === 'failure') throw new TableError(`${name} in the archive is not JSON: ${read.message}`)
  return isObject(read.value) ? read.value : {}
}

function addList(networks: Map<string, JsonObject[]>, id: string, { type, name, description, version, list }: JsonObject): void {
  if (type !== 'cidr' || !Array.isArray(list)) return
  const about = Object.fromEntries(Object.entries({ id, name, description, version }).filter(([, value]) => value !== undefined))
  for (const network of new Set(list as readonly JsonValue[])) {
    if (typeof network !== 'string' || network === '') continue
    const lists = networks.get(network)
    if (lists) lists.push(about as JsonObject)
    else networks.set(network, [about as JsonObject])
  }
}
