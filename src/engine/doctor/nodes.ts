import type { Config } from '../../config/config.ts'
import { environment } from '../../config/env.ts'
import { httpSettings } from '../../config/http.ts'
import { MISSING_MS, type StoredNode, storedNodes } from '../../state/nodes.ts'
import { messageOf } from '../../util/errors.ts'
import { createHttp } from '../../util/http/http.ts'
import type { Send } from '../../util/http/send.ts'
import { version } from '../../util/version.ts'
import { viewState } from '../state-place.ts'
import { type Examination, type Finding, ok, skipped, warning } from './examination.ts'

const ANSWER_MS = 3000

/** Looks for the nodes that have recorded themselves in the state, and asks each how it is. Needs a state on a server. */
export function nodesExamination(config: Config): Examination {
  return {
    name: 'nodes',
    async run() {
      const db = viewState(config)
      const http = createHttp(httpSettings(config.http, environment()))
      try {
        return await findingOf(await storedNodes(db).catch(() => []), http.configured, version())
      } finally {
        await Promise.all([db.destroy(), http.close()])
      }
    },
  }
}

/** What is wrong with these nodes, as seen from here. `own`: the version that runs here. */
export async function findingOf(nodes: readonly StoredNode[], send: Send, own: string): Promise<Finding> {
  if (nodes.length === 0) return skipped('none has recorded itself yet')
  const troubles = (await Promise.all(nodes.map((node) => troubleOf(node, send, own)))).filter((one) => one !== undefined)
  if (troubles.length === 0) return ok(nodes.map(({ name, roles }) => `${name} (${roles.join(', ')})`).join('; '))
  return warning(
    troubles.join('; '),
    'start nodes that are missing, upgrade the others, and set `listen` to an address that other nodes reach (docs/nodes.md)',
  )
}

async function troubleOf({ name, address, version: its, silentMs }: StoredNode, send: Send, own: string) {
  if (silentMs >= MISSING_MS) return `${name} has not been seen for ${Math.floor(silentMs / 60_000)} min`
  if (its !== own) return `${name} runs version ${its}, and this is ${own}`
  try {
    const { status } = await send({ url: `${address}/healthz`, timeoutMs: ANSWER_MS, maxBytes: 10_000 })
    return status < 500 ? undefined : `${name} at ${address} answers ${status} to /healthz`
  } catch (error) {
    return `${name} cannot be reached from here at ${address}: ${messageOf(error)}`
  }
}
